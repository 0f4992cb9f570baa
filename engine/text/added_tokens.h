#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/component.h"
#include "engine/text/normalizer.h"
#include "engine/text/regex.h"
#include "engine/text/token_trie.h"
#include "engine/text/vocabulary.h"

namespace qspec {

// Tokens that are cut out of the text before the model sees it.
class AddedTokens {
 public:
  // Of from's member "added_tokens", a list; none when it is missing. A token that the vocabulary
  // has keeps its id; others get the ids behind it, in the order of the list. Throws
  // Error(kCheckpoint) when a token claims the id of another. `normalizer` may be null.
  AddedTokens(const Component& from, const Vocabulary& vocabulary, const Normalizer* normalizer);

  // A part of a text that is one token, or that is none of them.
  struct Part {
    std::optional<int32_t> id;
    TextSpan span;  // with the white space that the token swallows
  };

  // The tokens that are looked for in the text as it was given, and in normalized text.
  std::vector<Part> cut_raw(std::string_view text) const { return cut(text, raw_); }
  std::vector<Part> cut_normalized(std::string_view text) const { return cut(text, normalized_); }

  std::vector<int32_t> ids() const;
  std::optional<int32_t> id_of(std::string_view content) const;
  // As decoding shows it: normalized, for a token that is looked for in normalized text.
  const std::string* token_of(int32_t id) const;
  bool is_special(std::string_view token) const;

 private:
  struct Token {
    std::string content;
    std::string shown;
    bool single_word;
    bool lstrip;
    bool rstrip;
    bool normalized;
  };

  void read(const Component& item, const Vocabulary& vocabulary);
  static void show(const Component& from, const Normalizer* normalizer, Token& token);
  std::vector<Part> cut(std::string_view text, const TokenTrie& trie) const;

  std::map<int32_t, Token> tokens_;
  std::map<std::string, int32_t, std::less<>> ids_;
  std::set<std::string, std::less<>> special_;
  TokenTrie raw_;
  TokenTrie normalized_;
};

}  // namespace qspec
