#include "engine/text/pre_tokenizer.h"

#include <array>
#include <utility>

#include "engine/text/byte_level.h"
#include "engine/text/metaspace.h"
#include "engine/text/pattern.h"
#include "engine/text/split.h"
#include "engine/text/unicode.h"

namespace qspec {
namespace {

using PreTokenizerPtr = std::unique_ptr<const PreTokenizer>;

// Appends the parts of `piece` that are not empty.
void append_parts(const TextPiece& piece, const std::vector<TextSpan>& spans,
                  std::vector<TextPiece>& parts) {
  for (const TextSpan& span : spans) {
    if (span.begin == span.end) continue;
    parts.push_back(
        {piece.text.substr(span.begin, span.end - span.begin), piece.at_start && span.begin == 0});
  }
}

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

// What splits one piece without looking at the others.
class PieceSplitter : public PreTokenizer {
 public:
  void split(std::vector<TextPiece>& pieces, const GrowthLimit& limit) const final {
    std::vector<TextPiece> parts;
    parts.reserve(pieces.size());
    for (TextPiece& piece : pieces) split_piece(piece, parts);
    size_t bytes = 0;
    for (const TextPiece& part : parts) bytes += part.text.size();
    limit.check(bytes);
    pieces = std::move(parts);
  }

 private:
  // Appends the parts of `piece`, which it may change on the way.
  virtual void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const = 0;
};

SplitBehavior behavior_of(const Component& from, std::string_view fallback) {
  static constexpr std::array<std::pair<std::string_view, SplitBehavior>, 5> kBehaviors = {{
      {"Removed", SplitBehavior::kRemoved},
      {"Isolated", SplitBehavior::kIsolated},
      {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
      {"MergedWithNext", SplitBehavior::kMergedWithNext},
      {"Contiguous", SplitBehavior::kContiguous},
  }};
  const std::string name =
      fallback.empty() ? from.text("behavior") : from.text("behavior", fallback);
  std::vector<std::string> known;
  for (const auto& [key, behavior] : kBehaviors) {
    if (key == name) return behavior;
    known.emplace_back(key);
  }
  throw from.unknown("split behavior", name, known);
}

class Split final : public PieceSplitter {
 public:
  explicit Split(const Component& from)
      : pattern_(from),
        behavior_(behavior_of(from, "")),
        inverted_(from.boolean("invert", false)) {}

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

class Digits final : public PieceSplitter {
 public:
  explicit Digits(const Component& from)
      : behavior_(from.boolean("individual_digits") ? SplitBehavior::kIsolated
                                                    : SplitBehavior::kContiguous) {}

 private:
  void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const override {
    append_parts(piece, split_at(segments_of_characters(piece.text, is_numeric), behavior_), parts);
  }

  SplitBehavior behavior_;
};

class Punctuation final : public PieceSplitter {
 public:
  explicit Punctuation(const Component& from) : behavior_(behavior_of(from, "Isolated")) {}

 private:
  void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const override {
    append_parts(piece, split_at(segments_of_characters(piece.text, is_punctuation), behavior_),
                 parts);
  }

  SplitBehavior behavior_;
};

class WhitespaceSplit final : public PieceSplitter {
 public:
  explicit WhitespaceSplit(const Component&) {}

 private:
  void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const override {
    append_parts(
        piece,
        split_at(segments_of_characters(piece.text, is_white_space), SplitBehavior::kRemoved),
        parts);
  }
};

// Runs of word characters, and runs of what is neither those nor white space.
class Whitespace final : public PieceSplitter {
 public:
  explicit Whitespace(const Component&) {}

 private:
  void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const override {
    std::vector<TextPiece> runs;
    append_parts(
        piece,
        split_at(segments_of_characters(piece.text, is_white_space), SplitBehavior::kRemoved),
        runs);
    for (const TextPiece& run : runs) {
      append_parts(
          run,
          split_at(segments_of_characters(run.text, is_word_character), SplitBehavior::kContiguous),
          parts);
    }
  }
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
    {"Digits", make<Digits>},
    {"Punctuation", make<Punctuation>},
    {"Whitespace", make<Whitespace>},
    {"WhitespaceSplit", make<WhitespaceSplit>},
};

}  // namespace

std::unique_ptr<const PreTokenizer> make_pre_tokenizer(const Component& from) {
  return make_component<PreTokenizer>(from, "pre-tokenizer", kTypes);
}

}  // namespace qspec
