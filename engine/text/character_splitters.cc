// The pre-tokenizers that split at characters of a kind.

#include <utility>

#include "engine/text/piece_splitter.h"
#include "engine/text/pre_tokenizer_types.h"
#include "engine/text/unicode.h"
#include "engine/text/utf8.h"

namespace qspec {
namespace {

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
  explicit Punctuation(const Component& from) : behavior_(split_behavior(from, "Isolated")) {}

 private:
  void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const override {
    append_parts(piece, split_at(segments_of_characters(piece.text, is_punctuation), behavior_),
                 parts);
  }

  SplitBehavior behavior_;
};

// What stands between white space.
std::vector<TextPiece> words(const TextPiece& piece) {
  std::vector<TextPiece> found;
  append_parts(
      piece, split_at(segments_of_characters(piece.text, is_white_space), SplitBehavior::kRemoved),
      found);
  return found;
}

class WhitespaceSplit final : public PieceSplitter {
 private:
  void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const override {
    for (TextPiece& word : words(piece)) parts.push_back(std::move(word));
  }
};

// Words, and each punctuation mark by itself.
class BertPreTokenizer final : public PieceSplitter {
 private:
  void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const override {
    for (const TextPiece& word : words(piece)) {
      append_parts(
          word,
          split_at(segments_of_characters(word.text, is_punctuation), SplitBehavior::kIsolated),
          parts);
    }
  }
};

class CharDelimiterSplit final : public PieceSplitter {
 public:
  explicit CharDelimiterSplit(const Component& from) : delimiter_(from.text("delimiter")) {
    if (utf8_length(delimiter_) != 1) {
      throw from.refusal(ErrorKind::kCheckpoint,
                         "found '" + printable(delimiter_) + "', wanted one character",
                         "delimiter");
    }
  }

 private:
  void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const override {
    append_parts(piece,
                 split_at(segments_of_literal(piece.text, delimiter_), SplitBehavior::kRemoved),
                 parts);
  }

  std::string delimiter_;
};

// Runs of word characters, and runs of what is neither those nor white space.
class Whitespace final : public PieceSplitter {
 private:
  void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const override {
    for (const TextPiece& word : words(piece)) {
      append_parts(word,
                   split_at(segments_of_characters(word.text, is_word_character),
                            SplitBehavior::kContiguous),
                   parts);
    }
  }
};

}  // namespace

std::unique_ptr<const PreTokenizer> make_digits(const Component& from) {
  return std::make_unique<const Digits>(from);
}

std::unique_ptr<const PreTokenizer> make_punctuation(const Component& from) {
  return std::make_unique<const Punctuation>(from);
}

std::unique_ptr<const PreTokenizer> make_whitespace(const Component&) {
  return std::make_unique<const Whitespace>();
}

std::unique_ptr<const PreTokenizer> make_whitespace_split(const Component&) {
  return std::make_unique<const WhitespaceSplit>();
}

std::unique_ptr<const PreTokenizer> make_bert_pre_tokenizer(const Component&) {
  return std::make_unique<const BertPreTokenizer>();
}

std::unique_ptr<const PreTokenizer> make_char_delimiter_split(const Component& from) {
  return std::make_unique<const CharDelimiterSplit>(from);
}

}  // namespace qspec
