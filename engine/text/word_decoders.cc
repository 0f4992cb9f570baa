// The decoders of tokens that say where words begin or end.

#include <algorithm>
#include <utility>

#include "engine/text/decoder_types.h"
#include "engine/text/replaced.h"

namespace qspec {
namespace {

// Undoes, in English, the spaces that splitting at punctuation leaves.
std::string cleaned_up(std::string text) {
  static constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
  };
  if (text.find(' ') == text.npos) return text;
  for (const auto& [found, better] : kRules) {
    if (text.find(found) != text.npos) text = replaced(text, found, better);
  }
  return text;
}

// Takes the prefix off a token that goes on a word, and puts a space before every other.
class WordPieceDecoder final : public Decoder {
 public:
  explicit WordPieceDecoder(const Component& from)
      : prefix_(from.text("prefix")), cleans_up_(from.boolean("cleanup")) {}

  void decode(std::vector<std::string>& parts, const GrowthLimit&) const override {
    for (size_t i = 0; i < parts.size(); ++i) {
      std::string& part = parts[i];
      if (i > 0 && part.starts_with(prefix_)) {
        part.erase(0, prefix_.size());
      } else if (i > 0) {
        part.insert(0, 1, ' ');
      }
      if (cleans_up_) part = cleaned_up(std::move(part));
    }
  }

 private:
  std::string prefix_;
  bool cleans_up_;
};

// Puts a space for the suffix of words, but for that of the last.
class BpeDecoder final : public Decoder {
 public:
  explicit BpeDecoder(const Component& from) : suffix_(from.text("suffix")) {}

  void decode(std::vector<std::string>& parts, const GrowthLimit& limit) const override {
    size_t bytes = 0;
    for (std::string& part : parts) {
      part = replaced(part, suffix_, &part == &parts.back() ? "" : " ");
      bytes += part.size();
    }
    limit.check(bytes);
  }

 private:
  std::string suffix_;
};

// Connectionist temporal classification (Graves 2006): of equal tokens in a row one counts, and the
// pad token stands between two that both count.
class CtcDecoder final : public Decoder {
 public:
  explicit CtcDecoder(const Component& from)
      : pad_(from.text("pad_token")),
        delimiter_(from.text("word_delimiter_token")),
        cleans_up_(from.boolean("cleanup")) {}

  void decode(std::vector<std::string>& parts, const GrowthLimit& limit) const override {
    parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
    size_t bytes = 0;
    for (std::string& part : parts) {
      part = replaced(part, pad_, "");
      if (cleans_up_) part = replaced(cleaned_up(std::move(part)), delimiter_, " ");
      bytes += part.size();
    }
    limit.check(bytes);
    std::erase(parts, "");
  }

 private:
  std::string pad_;
  std::string delimiter_;
  bool cleans_up_;
};

}  // namespace

std::unique_ptr<const Decoder> make_word_piece_decoder(const Component& from) {
  return std::make_unique<const WordPieceDecoder>(from);
}

std::unique_ptr<const Decoder> make_bpe_decoder(const Component& from) {
  return std::make_unique<const BpeDecoder>(from);
}

std::unique_ptr<const Decoder> make_ctc_decoder(const Component& from) {
  return std::make_unique<const CtcDecoder>(from);
}

}  // namespace qspec
