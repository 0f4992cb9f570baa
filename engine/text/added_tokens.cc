#include "engine/text/added_tokens.h"

#include <algorithm>
#include <utility>

#include "engine/text/unicode.h"
#include "engine/text/utf8.h"

namespace qspec {
namespace {

// Looking for a token costs its length at each place where it could begin.
constexpr size_t kLongestToken = 1024;

bool ends_with_word(std::string_view text) {
  return !text.empty() && is_word_character(utf8_before(text, text.size()).code);
}

bool starts_with_word(std::string_view text) {
  return !text.empty() && is_word_character(utf8_at(text, 0).code);
}

// Where the white space at the end of text[0, end) begins, not before `least`.
size_t white_space_begin(std::string_view text, size_t end, size_t least) {
  while (end > least) {
    const Utf8Char last = utf8_before(text, end);
    if (!is_white_space(last.code)) break;
    end -= last.bytes;
  }
  return std::max(end, least);
}

size_t white_space_end(std::string_view text, size_t begin) {
  while (begin < text.size()) {
    const Utf8Char first = utf8_at(text, begin);
    if (!is_white_space(first.code)) break;
    begin += first.bytes;
  }
  return begin;
}

// The id that a new token gets.
int32_t next_id(const Vocabulary& vocabulary, int32_t highest_added) {
  return std::max(static_cast<int32_t>(vocabulary.size()), highest_added + 1);
}

}  // namespace

AddedTokens::AddedTokens(const Component& from, const Vocabulary& vocabulary,
                         const Normalizer* normalizer) {
  if (!from.has("added_tokens")) return;
  for (const Component& item : from.objects("added_tokens")) read(item, vocabulary);
  for (auto& [id, token] : tokens_) {
    show(from, normalizer, token);
    (token.normalized ? normalized_ : raw_).add(token.shown, id);
  }
}

void AddedTokens::read(const Component& item, const Vocabulary& vocabulary) {
  const std::string& content = item.text("content");
  if (content.empty()) return;
  if (content.size() > kLongestToken) {
    throw item.refusal(ErrorKind::kCheckpoint,
                       "token of " + std::to_string(content.size()) + " bytes, the limit is " +
                           std::to_string(kLongestToken),
                       "content");
  }
  std::optional<int32_t> id = id_of(content);
  if (!id) id = vocabulary.id_of(content);
  if (!id) id = next_id(vocabulary, tokens_.empty() ? -1 : tokens_.rbegin()->first);

  const int32_t claimed = item.token_id("id");
  const auto refuse_claim = [&](std::string_view owner) {
    throw item.refusal(ErrorKind::kCheckpoint,
                       "added token '" + printable(content) + "' claims id " +
                           std::to_string(claimed) + ", which is '" + printable(owner) + "'",
                       "id");
  };
  if (claimed != *id) {
    if (const auto owner = vocabulary.token_of(claimed)) refuse_claim(*owner);
    if (const auto owner = tokens_.find(claimed); owner != tokens_.end()) {
      refuse_claim(owner->second.content);
    }
  }
  if (item.boolean("special", false)) special_.insert(content);
  ids_[content] = *id;
  tokens_[*id] = {content,
                  "",
                  item.boolean("single_word", false),
                  item.boolean("lstrip", false),
                  item.boolean("rstrip", false),
                  item.boolean("normalized", true)};
}

void AddedTokens::show(const Component& from, const Normalizer* normalizer, Token& token) {
  token.shown = token.content;
  if (!token.normalized || normalizer == nullptr) return;
  TextPiece piece{token.content, true};
  try {
    normalizer->normalize(piece, GrowthLimit(token.content.size()));
  } catch (const Error& error) {
    throw from.refusal(error.kind(), error.message(), "added_tokens").hint(error.hint());
  }
  token.shown = std::move(piece.text);
}

std::vector<AddedTokens::Part> AddedTokens::cut(std::string_view text,
                                                const TokenTrie& trie) const {
  std::vector<Part> parts;
  size_t end_of_last = 0;
  size_t swallowed = 0;  // where the white space ends that an rstrip token took
  size_t from = 0;
  while (const auto match = trie.find(text, from)) {
    auto [begin, end] = match->span;
    from = end;
    const Token& token = tokens_.at(match->id);
    const bool touches_word =
        ends_with_word(text.substr(0, begin)) || starts_with_word(text.substr(end));
    if (token.single_word && touches_word) continue;
    if (token.lstrip) begin = white_space_begin(text, begin, end_of_last);
    // A token of white space may lie in what the one before has swallowed: scan that only once.
    if (token.rstrip) end = swallowed = white_space_end(text, std::max(end, swallowed));
    if (end_of_last < begin) parts.push_back({std::nullopt, {end_of_last, begin}});
    // The token before may have swallowed all of this one.
    if (begin < end) parts.push_back({match->id, {begin, end}});
    end_of_last = end;
  }
  if (end_of_last < text.size()) parts.push_back({std::nullopt, {end_of_last, text.size()}});
  return parts;
}

std::vector<int32_t> AddedTokens::ids() const {
  std::vector<int32_t> ids;
  for (const auto& [id, token] : tokens_) ids.push_back(id);
  return ids;
}

std::optional<int32_t> AddedTokens::id_of(std::string_view content) const {
  const auto found = ids_.find(content);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

const std::string* AddedTokens::token_of(int32_t id) const {
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? nullptr : &found->second.shown;
}

bool AddedTokens::is_special(std::string_view token) const {
  return special_.contains(token);
}

}  // namespace qspec
