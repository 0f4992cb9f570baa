#pragma once

#include <string>
#include <string_view>

#include "engine/text/tokenizer.h"
#include "tests/fuzz/readers.h"

namespace qspec::test {

// The file's own text is what it encodes: JSON is UTF-8, and holds the file's own tokens.
inline void exercise_tokenizer(std::string_view text) try {
  const auto tokenizer = Tokenizer::from_json(parse_json(text, "tokenizer.json"), "tokenizer.json");
  const std::vector<int32_t> ids = tokenizer->encode(text, true);
  for (const int32_t id : ids) {
    const std::optional<std::string> token = tokenizer->token_of(id);
    require(token.has_value(), "an id that no token has");
    // As in the library, a normalized token is shown by a text that is no token's.
    const std::optional<int32_t> back = tokenizer->id_of(*token);
    require(!back || tokenizer->token_of(*back).has_value(), "a token's id that no token has");
  }
  require(ids.empty() || tokenizer->vocab_size() > 0, "tokens out of no vocabulary");
  tokenizer->decode(ids, false);
  tokenizer->decode(ids, true);
} catch (const Error& error) {
  check_error(error);
}

}  // namespace qspec::test
