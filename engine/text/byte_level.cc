#include "engine/text/byte_level.h"

#include <array>

#include "engine/text/utf8.h"

namespace qspec {
namespace {

constexpr bool stands_for_itself(unsigned byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

// The bytes that have no visible character of their own take U+0100 and the following, in order.
constexpr unsigned kFirstBorrowed = 0x100;
constexpr unsigned kBorrowed = 68;

struct Alphabet {
  std::array<char32_t, 256> character{};
  std::array<unsigned char, kFirstBorrowed + kBorrowed> byte{};
  std::array<bool, kFirstBorrowed + kBorrowed> is_character{};
};

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  unsigned borrowed = kFirstBorrowed;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const unsigned code = stands_for_itself(byte) ? byte : borrowed++;
    alphabet.character[byte] = code;
    alphabet.byte[code] = static_cast<unsigned char>(byte);
    alphabet.is_character[code] = true;
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = make_alphabet();

}  // namespace

std::string byte_level_text(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() + bytes.size() / 2);
  for (const char byte : bytes) {
    append_utf8(text, kAlphabet.character[static_cast<unsigned char>(byte)]);
  }
  return text;
}

std::optional<char> byte_level_byte(char32_t code) {
  if (code >= kAlphabet.byte.size() || !kAlphabet.is_character[code]) return std::nullopt;
  return static_cast<char>(kAlphabet.byte[code]);
}

}  // namespace qspec
