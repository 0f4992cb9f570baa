#include "engine/text/bpe.h"

#include <algorithm>
#include <queue>
#include <utility>

#include "engine/text/utf8.h"

namespace qspec {
namespace {

constexpr int32_t kNone = -1;

// A join that was possible when it was noted.
struct Candidate {
  uint32_t rank;
  int32_t position;  // of the left symbol
  int32_t id;        // of the joined token

  // For a heap whose top is the lowest rank, then the leftmost.
  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : position > other.position;
  }
};

void refuse_dropout(const Component& from) {
  if (!from.has("dropout")) return;
  const Json& dropout = from.json()["dropout"];
  if (dropout.is_number() && dropout.get<double>() == 0) return;
  throw from
      .refusal(ErrorKind::kUnsupported,
               "found " + printable(dump_json(dropout)) + ", wanted null or 0", "dropout")
      .hint("dropout makes the token ids of a text random; it is for training only");
}

}  // namespace

Bpe::Bpe(const Component& from)
    : vocabulary_(from),
      prefix_(from.text("continuing_subword_prefix", "")),
      suffix_(from.text("end_of_word_suffix", "")),
      merges_(from, vocabulary_, prefix_.size()),
      unknown_(from, vocabulary_),
      byte_tokens_(from, vocabulary_),
      fuses_unknown_(from.boolean("fuse_unk", false)),
      ignores_merges_(from.boolean("ignore_merges", false)) {
  refuse_dropout(from);
}

void Bpe::tokenize(std::string_view piece, std::vector<int32_t>& ids) const {
  if (ignores_merges_) {
    if (const auto whole = vocabulary_.id_of(piece)) {
      ids.push_back(*whole);
      return;
    }
  }
  std::vector<Symbol> symbols = characters(piece);
  merge_all(symbols);
  for (const Symbol& symbol : symbols) {
    if (!symbol.is_merged_away) ids.push_back(symbol.id);
  }
}

// The unknown token is held back until the next known character, so that byte tokens overtake it,
// as they do in the library.
std::vector<Bpe::Symbol> Bpe::characters(std::string_view piece) const {
  std::vector<Symbol> symbols;
  symbols.reserve(piece.size());
  const auto append = [&](int32_t id) { symbols.push_back({id, kNone, kNone, false}); };
  bool is_unknown_pending = false;
  const auto flush_unknown = [&] {
    if (is_unknown_pending) append(unknown_.id());
    is_unknown_pending = false;
  };
  std::string affixed;
  for (size_t at = 0; at < piece.size();) {
    const size_t bytes = utf8_at(piece, at).bytes;
    std::string_view character = piece.substr(at, bytes);
    const bool has_prefix = at > 0 && !prefix_.empty();
    const bool has_suffix = at + bytes == piece.size() && !suffix_.empty();
    if (has_prefix || has_suffix) {
      affixed = (has_prefix ? prefix_ : "") + std::string(character) + (has_suffix ? suffix_ : "");
      character = affixed;
    }
    at += bytes;
    if (const auto id = vocabulary_.id_of(character)) {
      flush_unknown();
      append(*id);
    } else if (!byte_tokens_.spell(character, append) && unknown_.is_named()) {
      if (!fuses_unknown_) flush_unknown();
      is_unknown_pending = true;
    }
  }
  flush_unknown();
  return symbols;
}

void Bpe::merge_all(std::vector<Symbol>& symbols) const {
  const auto count = static_cast<int32_t>(symbols.size());
  std::vector<Candidate> first;
  first.reserve(symbols.size());
  for (int32_t i = 0; i < count; ++i) {
    symbols[i].previous = i - 1;
    symbols[i].next = i + 1 < count ? i + 1 : kNone;
    if (i + 1 == count) break;
    if (const auto* merge = merges_.find(symbols[i].id, symbols[i + 1].id)) {
      first.push_back({merge->rank, i, merge->id});
    }
  }
  std::priority_queue<Candidate> queue(std::less<Candidate>(), std::move(first));
  const auto note = [&](int32_t left, int32_t right) {
    if (left == kNone || right == kNone) return;
    const auto* merge = merges_.find(symbols[left].id, symbols[right].id);
    if (merge != nullptr) queue.push({merge->rank, left, merge->id});
  };
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    Symbol& left = symbols[top.position];
    if (left.is_merged_away || left.next == kNone) continue;
    Symbol& right = symbols[left.next];
    // Noted before a neighbour changed; it still counts when it would give the same token.
    const auto* merge = merges_.find(left.id, right.id);
    if (merge == nullptr || merge->id != top.id) continue;
    left.id = top.id;
    left.next = right.next;
    right.is_merged_away = true;
    if (left.next != kNone) symbols[left.next].previous = top.position;
    note(left.previous, top.position);
    note(top.position, left.next);
  }
}

}  // namespace qspec
