#pragma once

#include <optional>

namespace qspec {

// Hugging Face tokenizers takes its character properties from several tables of several Unicode
// versions, none of them utf8proc's. Token ids depend on which; so these say where they differ.

// Without combining class, decomposition and composition in the library's tables of Unicode 10.
bool is_inert_when_normalized(char32_t code);

// What the library says where that is not what utf8proc 2.8 (Unicode 15) says; else nothing.
std::optional<bool> dated_mark(char32_t code);
std::optional<bool> dated_nonspacing_mark(char32_t code);
std::optional<bool> dated_control(char32_t code);
std::optional<bool> dated_punctuation(char32_t code);
std::optional<bool> dated_number(char32_t code);
std::optional<bool> dated_word_character(char32_t code);
std::optional<char32_t> dated_lower_case(char32_t code);

// Extends a grapheme cluster in the library's tables of Unicode 17, but not in utf8proc 2.8's.
bool is_young_extender(char32_t code);

}  // namespace qspec
