#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qspec {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

struct Utf8Char {
  char32_t code;   // kReplacementCharacter when the bytes are not UTF-8
  uint32_t bytes;  // when they are not: the longest part that could have begun a character
  bool valid;
};

// The character that begins at byte `at`, which is less than text.size().
Utf8Char utf8_at(std::string_view text, size_t at);

// The character that ends before byte `end`, which is greater than 0. `text` is UTF-8.
Utf8Char utf8_before(std::string_view text, size_t end);

// The first byte that is not UTF-8, if any.
std::optional<size_t> first_invalid_utf8(std::string_view text);

void append_utf8(std::string& text, char32_t code);

// `bytes` with U+FFFD for each longest part that is not UTF-8, as the Unicode standard recommends.
std::string lossy_utf8(std::string_view bytes);

// Characters in `text`, which is UTF-8.
size_t utf8_length(std::string_view text);

}  // namespace qspec
