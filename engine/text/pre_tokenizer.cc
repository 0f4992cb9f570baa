#include "engine/text/pre_tokenizer.h"

#include <utility>

#include "engine/text/byte_level.h"
#include "engine/text/metaspace.h"
#include "engine/text/pattern.h"
#include "engine/text/piece_splitter.h"
#include "engine/text/pre_tokenizer_types.h"

namespace qspec {
namespace {

using PreTokenizerPtr = std::unique_ptr<const PreTokenizer>;

class PreTokenizerSequence final : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(const Component& from) {
    for (const Component& part : from.objects("pretokenizers")) {
      parts_.push_back(make_pre_tokenizer(part));
    }
  }
  void split(std::vector<TextPiece>& pieces, const GrowthLimit& limit) const override {
    for (const PreTokenizerPtr& part : parts_) part->split(pieces, limit);
  }

 private:
  std::vector<PreTokenizerPtr> parts_;
};

class Split final : public PieceSplitter {
 public:
  explicit Split(const Component& from)
      : pattern_(from), behavior_(split_behavior(from)), inverted_(from.boolean("invert", false)) {}

 private:
  void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const override {
    std::vector<Segment> segments = pattern_.segments(piece.text);
    if (inverted_) {
      for (Segment& segment : segments) segment.is_match = !segment.is_match;
    }
    append_parts(piece, split_at(std::move(segments), behavior_), parts);
  }

  Pattern pattern_;
  SplitBehavior behavior_;
  bool inverted_;
};

class ByteLevel final : public PieceSplitter {
 public:
  explicit ByteLevel(const Component& from)
      : adds_prefix_space_(from.boolean("add_prefix_space")),
        uses_regex_(from.boolean("use_regex", true)) {}

 private:
  // GPT-2's words.
  static const Regex& words() {
    static const Regex regex(
        R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)");
    return regex;
  }

  void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const override {
    if (adds_prefix_space_ && !piece.text.starts_with(' ')) piece.text.insert(0, 1, ' ');
    if (!uses_regex_) {
      parts.push_back({byte_level_text(piece.text), piece.at_start});
      return;
    }
    const size_t first = parts.size();
    append_parts(piece, split_at(segments_of_regex(piece.text, words()), SplitBehavior::kIsolated),
                 parts);
    for (size_t i = first; i < parts.size(); ++i) parts[i].text = byte_level_text(parts[i].text);
  }

  bool adds_prefix_space_;
  bool uses_regex_;
};

class Metaspace final : public PieceSplitter {
 public:
  explicit Metaspace(const Component& from)
      : mark_(metaspace_mark(from)),
        prepends_(metaspace_prepends(from)),
        splits_(from.boolean("split", true)) {}

 private:
  void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const override {
    std::string marked;
    for (const char byte : piece.text) {
      if (byte == ' ') {
        marked += mark_;
      } else {
        marked += byte;
      }
    }
    const bool prepends = prepends_ == MetaspacePrepends::kAlways ||
                          (prepends_ == MetaspacePrepends::kFirst && piece.at_start);
    if (prepends && !marked.starts_with(mark_)) marked.insert(0, mark_);
    piece.text = std::move(marked);
    if (!splits_) {
      parts.push_back(std::move(piece));
      return;
    }
    append_parts(piece,
                 split_at(segments_of_literal(piece.text, mark_), SplitBehavior::kMergedWithNext),
                 parts);
  }

  std::string mark_;
  MetaspacePrepends prepends_;
  bool splits_;
};

template <class T>
PreTokenizerPtr make(const Component& from) {
  return std::make_unique<const T>(from);
}

constexpr ComponentType<PreTokenizer> kTypes[] = {
    {"Sequence", make<PreTokenizerSequence>},
    {"Split", make<Split>},
    {"ByteLevel", make<ByteLevel>},
    {"Metaspace", make<Metaspace>},
    {"Digits", make_digits},
    {"Punctuation", make_punctuation},
    {"Whitespace", make_whitespace},
    {"WhitespaceSplit", make_whitespace_split},
    {"BertPreTokenizer", make_bert_pre_tokenizer},
    {"CharDelimiterSplit", make_char_delimiter_split},
    {"FixedLength", make_fixed_length},
    {"UnicodeScripts", make_unicode_scripts},
};

}  // namespace

std::unique_ptr<const PreTokenizer> make_pre_tokenizer(const Component& from) {
  return make_component<PreTokenizer>(from, "pre-tokenizer", kTypes);
}

}  // namespace qspec
