#pragma once

#include <string>
#include <string_view>

namespace qspec {

// Properties of characters as Hugging Face tokenizers sees them (unicode_version.h).

bool is_white_space(char32_t code);      // the property White_Space
bool is_numeric(char32_t code);          // general category N
bool is_mark(char32_t code);             // general category M
bool is_nonspacing_mark(char32_t code);  // general category Mn
bool is_control(char32_t code);          // general category C but for the unassigned
bool is_punctuation(char32_t code);      // general category P, and ASCII's symbols
bool is_word_character(char32_t code);   // \w: Alphabetic, M, Nd, Pc and the two joiners

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

// `text` is UTF-8, and so is what they return.
std::string normal_form(std::string_view text, NormalForm form);
std::string lower_case(std::string_view text);  // character by character, without locale

}  // namespace qspec
