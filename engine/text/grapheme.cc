#include "engine/text/grapheme.h"

#include <utf8proc.h>

#include "engine/text/unicode_version.h"
#include "engine/text/utf8.h"

namespace qspec {
namespace {

constexpr char32_t kCombiningGrave = 0x300;

// A character that extends a cluster in the library's tables only stands in as one that does here.
utf8proc_int32_t known(char32_t code) {
  return static_cast<utf8proc_int32_t>(is_young_extender(code) ? kCombiningGrave : code);
}

bool is_plain(std::string_view text, size_t at) {
  return text[at] >= ' ' && text[at] <= '~';
}

}  // namespace

size_t grapheme_end(std::string_view text, size_t begin) {
  if (is_plain(text, begin) && (begin + 1 == text.size() || is_plain(text, begin + 1))) {
    return begin + 1;
  }
  Utf8Char last = utf8_at(text, begin);
  size_t end = begin + last.bytes;
  utf8proc_int32_t state = 0;
  while (end < text.size()) {
    const Utf8Char next = utf8_at(text, end);
    if (utf8proc_grapheme_break_stateful(known(last.code), known(next.code), &state)) break;
    end += next.bytes;
    last = next;
  }
  return end;
}

}  // namespace qspec
