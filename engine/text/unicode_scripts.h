#pragma once

#include <cstdint>

namespace qspec {

// A writing system, as a number that means nothing but itself. Those that SentencePiece's users
// write in one word are one: Han, Hiragana, Katakana and their length mark.
using Script = uint8_t;

// Of characters that go with any script: the space, and what was not assigned in Unicode 10.
inline constexpr Script kAnyScript = 0;

Script script_of(char32_t code);

}  // namespace qspec
