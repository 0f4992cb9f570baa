#include "engine/text/map_characters.h"
#include "engine/text/normalizer_types.h"
#include "engine/text/unicode.h"

namespace qspec {
namespace {

// The blocks of ideographs that BERT's authors listed; later ones are missing.
bool is_listed_ideograph(char32_t code) {
  return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) ||
         (code >= 0x20000 && code <= 0x2A6DF) || (code >= 0x2A700 && code <= 0x2B81F) ||
         (code >= 0x2B920 && code <= 0x2CEAF) || (code >= 0xF900 && code <= 0xFAFF) ||
         (code >= 0x2F800 && code <= 0x2FA1F);
}

std::optional<char32_t> cleaned(char32_t code) {
  if (code == '\t' || code == '\n' || code == '\r') return ' ';
  if (code == kReplacementCharacter || is_control(code)) return std::nullopt;
  return is_white_space(code) ? ' ' : code;
}

std::string with_spaces_around_ideographs(std::string_view text) {
  std::string spaced;
  spaced.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Utf8Char found = utf8_at(text, at);
    const std::string_view character = text.substr(at, found.bytes);
    if (is_listed_ideograph(found.code)) {
      (spaced += ' ').append(character) += ' ';
    } else {
      spaced += character;
    }
    at += found.bytes;
  }
  return spaced;
}

class BertNormalizer final : public Normalizer {
 public:
  explicit BertNormalizer(const Component& from)
      : cleans_(from.boolean("clean_text")),
        spaces_ideographs_(from.boolean("handle_chinese_chars")),
        lowers_(from.boolean("lowercase")),
        strips_accents_(from.boolean("strip_accents", lowers_)) {}

  void normalize(TextPiece& piece, const GrowthLimit& limit) const override {
    if (cleans_) map_characters(piece, cleaned);
    if (spaces_ideographs_) piece.text = with_spaces_around_ideographs(piece.text);
    if (strips_accents_) {
      piece.text = normal_form(piece.text, NormalForm::kNfd);
      map_characters(piece, [](char32_t code) {
        return is_nonspacing_mark(code) ? std::nullopt : std::optional(code);
      });
    }
    if (lowers_) piece.text = lower_case(piece.text);
    limit.check(piece.text.size());
  }

 private:
  bool cleans_;
  bool spaces_ideographs_;
  bool lowers_;
  bool strips_accents_;
};

}  // namespace

std::unique_ptr<const Normalizer> make_bert_normalizer(const Component& from) {
  return std::make_unique<const BertNormalizer>(from);
}

}  // namespace qspec
