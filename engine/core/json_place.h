#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Where in a JSON text something stands, and what is probably wrong there: for errors only.
namespace qspec {

enum class JsonToken { kBracket, kWord, kNumber, kString };

// The first byte of the token before `end`, the position of a lexer that has just read it. Such a
// lexer reads one byte past a number, unless the text ends there.
size_t json_token_begin(std::string_view text, size_t end, JsonToken token);

// "line 3, column 5" of the byte at `at`, both from 1; columns are bytes.
std::string line_and_column(std::string_view text, size_t at);

// The mistake that people make when the byte at `at` is the first that no JSON text could have, as
// the hint of an error; "" when it is none of the usual ones.
std::string json_mistake(std::string_view text, size_t at);

}  // namespace qspec
