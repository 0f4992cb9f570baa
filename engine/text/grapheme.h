#pragma once

#include <cstddef>
#include <string_view>

namespace qspec {

// Where the grapheme cluster ends that begins at byte `begin` of `text`, which is UTF-8: what a
// reader takes for one character, a letter with its accents or CR LF (Unicode Standard Annex 29,
// extended clusters).
size_t grapheme_end(std::string_view text, size_t begin);

}  // namespace qspec
