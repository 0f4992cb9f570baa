#include "engine/text/map_characters.h"
#include "engine/text/normalizer_types.h"

namespace qspec {
namespace {

bool is_dropped(char32_t code) {
  return (code >= 0x1 && code <= 0x8) || code == 0xB || (code >= 0xE && code <= 0x1F) ||
         code == 0x7F || code == 0x8F || code == 0x9F;
}

// White space, what is invisible, and the mark of SentencePiece itself.
bool becomes_space(char32_t code) {
  return code == '\t' || code == '\n' || code == '\f' || code == '\r' || code == 0x1680 ||
         (code >= 0x200B && code <= 0x200F) || code == 0x2028 || code == 0x2029 || code == 0x2581 ||
         code == 0xFEFF || code == kReplacementCharacter;
}

// SentencePiece's cleaning for machine translation.
class NmtNormalizer final : public Normalizer {
 public:
  void normalize(TextPiece& piece, const GrowthLimit&) const override {
    map_characters(piece, [](char32_t code) -> std::optional<char32_t> {
      if (is_dropped(code)) return std::nullopt;
      return becomes_space(code) ? ' ' : code;
    });
  }
};

}  // namespace

std::unique_ptr<const Normalizer> make_nmt_normalizer(const Component&) {
  return std::make_unique<const NmtNormalizer>();
}

}  // namespace qspec
