#include "engine/text/piece_splitter.h"
#include "engine/text/pre_tokenizer_types.h"
#include "engine/text/unicode_scripts.h"
#include "engine/text/utf8.h"

namespace qspec {
namespace {

// Splits where the script changes. What goes with any script stays with what is before it; at the
// start, where nothing is, it is lost, as in the library.
class UnicodeScripts final : public PieceSplitter {
 private:
  void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const override {
    std::vector<TextSpan> spans;
    Script last = kAnyScript;
    for (size_t at = 0; at < piece.text.size();) {
      const Utf8Char found = utf8_at(piece.text, at);
      const Script script = script_of(found.code);
      if (script != kAnyScript && script != last) {
        spans.push_back({at, at});
        last = script;
      }
      at += found.bytes;
      if (!spans.empty()) spans.back().end = at;
    }
    append_parts(piece, spans, parts);
  }
};

}  // namespace

std::unique_ptr<const PreTokenizer> make_unicode_scripts(const Component&) {
  return std::make_unique<const UnicodeScripts>();
}

}  // namespace qspec
