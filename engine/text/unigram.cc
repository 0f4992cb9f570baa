#include "engine/text/unigram.h"

#include <algorithm>
#include <limits>
#include <string>

#include "engine/text/token_scores.h"
#include "engine/text/utf8.h"

namespace qspec {
namespace {

constexpr double kUnknownPenalty = 10;  // below the lowest score of the vocabulary

std::optional<int32_t> unknown_id(const Component& from, const Vocabulary& vocabulary) {
  if (!from.has("unk_id")) return std::nullopt;
  const int32_t id = from.token_id("unk_id");
  if (static_cast<size_t>(id) < vocabulary.size()) return id;
  throw from.refusal(ErrorKind::kCheckpoint,
                     "found " + std::to_string(id) + ", the vocabulary has " +
                         std::to_string(vocabulary.size()) + " tokens",
                     "unk_id");
}

double lowest(const std::vector<double>& scores) {
  double found = std::numeric_limits<double>::infinity();
  for (const double score : scores) found = std::min(found, score);
  return found;
}

}  // namespace

Unigram::Unigram(const Component& from)
    : vocabulary_(Vocabulary::of_list(from)),
      scores_(token_scores(from)),
      trie_(from, vocabulary_),
      byte_tokens_(from, vocabulary_),
      unknown_(unknown_id(from, vocabulary_)),
      unknown_score_(lowest(scores_) - kUnknownPenalty),
      no_unknown_(from.refusal(ErrorKind::kCheckpoint,
                               "the text has characters that no token has, and there is no token "
                               "for those",
                               "unk_id")) {}

void Unigram::tokenize(std::string_view piece, std::vector<int32_t>& ids) const {
  const std::vector<Ending> endings = best_endings(piece);
  // From the end to the start; characters without a token that stand together are one.
  std::vector<Ending> path;
  for (size_t end = piece.size(); end > 0; end = endings[end].begin) {
    const bool is_unknown = endings[end].id == unknown_;
    if (is_unknown && !path.empty() && path.back().id == unknown_) {
      path.back().begin = endings[end].begin;
    } else {
      path.push_back(endings[end]);
    }
  }
  for (auto token = path.rbegin(); token != path.rend(); ++token) {
    const size_t end = token + 1 == path.rend() ? piece.size() : (token + 1)->begin;
    if (token->id == unknown_) {
      append_unknown(piece.substr(token->begin, end - token->begin), ids);
    } else {
      ids.push_back(token->id);
    }
  }
}

std::vector<Unigram::Ending> Unigram::best_endings(std::string_view piece) const {
  std::vector<Ending> endings(piece.size() + 1);
  for (size_t begin = 0; begin < piece.size(); begin += utf8_at(piece, begin).bytes) {
    extend(piece, begin, endings);
  }
  return endings;
}

// Every token that goes on from `begin`. Of two ways of equal score the first stays.
void Unigram::extend(std::string_view piece, size_t begin, std::vector<Ending>& endings) const {
  const double so_far = endings[begin].score;
  const size_t character_end = begin + utf8_at(piece, begin).bytes;
  const auto offer = [&](size_t end, double score, auto&& id) {
    Ending& ending = endings[end];
    if (ending.begin == kUnreached || score > ending.score) ending = {score, begin, id()};
  };
  bool has_character = false;
  uint32_t node = PieceTrie::kRoot;
  for (size_t end = begin; end < piece.size();) {
    const auto next = trie_.next(node, static_cast<unsigned char>(piece[end]));
    if (!next) break;
    node = *next;
    ++end;
    const int32_t id = trie_.id_at(node);
    if (id == PieceTrie::kNone) continue;
    offer(end, scores_[static_cast<size_t>(id)] + so_far, [id] { return id; });
    has_character = has_character || end == character_end;
  }
  if (!has_character) offer(character_end, unknown_score_ + so_far, [this] { return unknown(); });
}

int32_t Unigram::unknown() const {
  if (!unknown_) throw no_unknown_;
  return *unknown_;
}

void Unigram::append_unknown(std::string_view text, std::vector<int32_t>& ids) const {
  if (const auto id = vocabulary_.id_of(text)) {
    ids.push_back(*id);
  } else if (!byte_tokens_.spell(text, [&](int32_t byte) { ids.push_back(byte); })) {
    ids.push_back(unknown());
  }
}

}  // namespace qspec
