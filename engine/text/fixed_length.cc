#include "engine/text/piece_splitter.h"
#include "engine/text/pre_tokenizer_types.h"
#include "engine/text/utf8.h"

namespace qspec {
namespace {

constexpr uint32_t kUsualLength = 5;

// Parts of so many characters; the last may be shorter.
class FixedLength final : public PieceSplitter {
 public:
  explicit FixedLength(const Component& from)
      : length_(from.has("length") ? from.natural("length") : kUsualLength) {
    if (length_ == 0) {
      throw from.refusal(ErrorKind::kCheckpoint, "found 0, wanted at least 1", "length");
    }
  }

 private:
  void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const override {
    std::vector<TextSpan> spans;
    uint32_t characters = length_;
    for (size_t at = 0; at < piece.text.size(); at = spans.back().end) {
      if (characters == length_) {
        spans.push_back({at, at});
        characters = 0;
      }
      spans.back().end = at + utf8_at(piece.text, at).bytes;
      ++characters;
    }
    append_parts(piece, spans, parts);
  }

  uint32_t length_;
};

}  // namespace

std::unique_ptr<const PreTokenizer> make_fixed_length(const Component& from) {
  return std::make_unique<const FixedLength>(from);
}

}  // namespace qspec
