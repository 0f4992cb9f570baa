#include "engine/text/template_processing.h"

#include <algorithm>
#include <string>
#include <utility>

namespace qspec {

TemplateProcessing::TemplateProcessing(const Component& from)
    : single_(pieces_of(from, "single", 1)), pair_(pieces_of(from, "pair", 2)) {}

std::vector<TemplateProcessing::Piece> TemplateProcessing::pieces_of(const Component& from,
                                                                     std::string_view key,
                                                                     int sequences) {
  std::vector<Piece> pieces;
  for (const Component& piece : from.objects(key)) {
    pieces.push_back(piece.has("Sequence")
                         ? sequence_piece(piece.object("Sequence"), pieces, sequences)
                         : special_piece(piece.object("SpecialToken"), from));
  }
  return pieces;
}

TemplateProcessing::Piece TemplateProcessing::sequence_piece(const Component& sequence,
                                                             const std::vector<Piece>& before,
                                                             int sequences) {
  const std::string& id = sequence.text("id");
  const int found = id == "A" ? 0 : id == "B" ? 1 : sequences;
  const bool is_second = std::any_of(before.begin(), before.end(),
                                     [&](const Piece& piece) { return piece.sequence == found; });
  if (found >= sequences || is_second) {
    throw sequence.refusal(ErrorKind::kCheckpoint,
                           "found sequence '" + printable(id) + "', wanted A " +
                               (sequences == 1 ? "once" : "and B, each once"));
  }
  return {found, {}};
}

TemplateProcessing::Piece TemplateProcessing::special_piece(const Component& special,
                                                            const Component& from) {
  const std::string& id = special.text("id");
  const Component known = from.object("special_tokens");
  if (!known.has(id)) {
    throw special.refusal(ErrorKind::kCheckpoint, "the template names '" + printable(id) +
                                                      "', which is not in special_tokens");
  }
  Piece piece{kSpecial, {}};
  const Component token = known.object(id);
  for (const Json& value : token.array("ids")) {
    const std::optional<int32_t> token_id = token_id_of(value);
    if (!token_id) {
      throw token.refusal(ErrorKind::kCheckpoint,
                          "found " + printable(dump_json(value)) + ", wanted a token id", "ids");
    }
    piece.ids.push_back(*token_id);
  }
  return piece;
}

void TemplateProcessing::process(TokenSequences& sequences, bool add_special_tokens) const {
  if (sequences.empty() || sequences.size() > 2) {
    throw Error(ErrorKind::kCheckpoint, "a template for one or two sequences gets " +
                                            std::to_string(sequences.size()) +
                                            " from the post-processor before it");
  }
  TokenSequences made;
  for (const Piece& piece : sequences.size() == 1 ? single_ : pair_) {
    if (piece.sequence != kSpecial) {
      made.push_back(std::move(sequences[static_cast<size_t>(piece.sequence)]));
    } else if (add_special_tokens) {
      made.push_back(piece.ids);
    }
  }
  sequences = std::move(made);
}

std::vector<int32_t> TemplateProcessing::special_ids() const {
  std::vector<int32_t> all;
  for (const auto* pieces : {&single_, &pair_}) {
    for (const Piece& piece : *pieces) all.insert(all.end(), piece.ids.begin(), piece.ids.end());
  }
  return all;
}

}  // namespace qspec
