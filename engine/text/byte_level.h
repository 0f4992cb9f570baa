#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace qspec {

// GPT-2's alphabet: one visible character for each byte, so that a vocabulary is text.

// Each byte of `bytes` as its character, UTF-8.
std::string byte_level_text(std::string_view bytes);

// The byte whose character is `code`, if it is one of the 256.
std::optional<char> byte_level_byte(char32_t code);

}  // namespace qspec
