#pragma once

#include <cstddef>
#include <string_view>

namespace qspec {

// Where the grapheme cluster ends that begins at byte `begin` of `text`, which is UTF-8: what a
// reader takes for one character, a letter with its accents or CR LF (Unicode Standard Annex 29,
// extended clusters). Marks are those of the library's tables; which pictures join behind U+200D is
// taken from utf8proc, and differs for some old ones and for those not yet assigned.
size_t grapheme_end(std::string_view text, size_t begin);

}  // namespace qspec
