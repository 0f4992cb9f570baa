#include "engine/text/unicode.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "engine/core/error.h"
#include "engine/text/unicode_version.h"
#include "engine/text/utf8.h"

namespace qspec {
namespace {

utf8proc_category_t category(char32_t code) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code));
}

bool is_ascii_punctuation(char32_t code) {
  return (code >= '!' && code <= '/') || (code >= ':' && code <= '@') ||
         (code >= '[' && code <= '`') || (code >= '{' && code <= '~');
}

// The symbols that are Alphabetic though their category is So: letters in circles and squares.
bool is_enclosed_letter(char32_t code) {
  return (code >= 0x24B6 && code <= 0x24E9) || (code >= 0x1F130 && code <= 0x1F149) ||
         (code >= 0x1F150 && code <= 0x1F169) || (code >= 0x1F170 && code <= 0x1F189);
}

utf8proc_option_t options(NormalForm form) {
  int flags = UTF8PROC_STABLE;
  const bool composes = form == NormalForm::kNfc || form == NormalForm::kNfkc;
  flags |= composes ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  const bool is_compatible = form == NormalForm::kNfkc || form == NormalForm::kNfkd;
  if (is_compatible) flags |= UTF8PROC_COMPAT;
  return static_cast<utf8proc_option_t>(flags);
}

bool is_mark_category(utf8proc_category_t found) {
  return found >= UTF8PROC_CATEGORY_MN && found <= UTF8PROC_CATEGORY_ME;
}

char32_t lower_case(char32_t code) {
  if (const auto dated = dated_lower_case(code)) return *dated;
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code)));
}

bool is_ascii(std::string_view text) {
  for (const char byte : text) {
    if (static_cast<unsigned char>(byte) >= 0x80) return false;
  }
  return true;
}

void append_normal_form(std::string_view text, NormalForm form, std::string& normal) {
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &mapped, options(form));
  if (size == UTF8PROC_ERROR_NOMEM) throw std::bad_alloc();
  if (size < 0) throw Error(ErrorKind::kInternal, utf8proc_errmsg(size));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(mapped, &std::free);
  normal.append(reinterpret_cast<const char*>(mapped), static_cast<size_t>(size));
}

}  // namespace

bool is_white_space(char32_t code) {
  if (code < 0x80) return code == ' ' || (code >= '\t' && code <= '\r');
  return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
         code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool is_numeric(char32_t code) {
  const utf8proc_category_t found = category(code);
  return dated_number(code).value_or(found >= UTF8PROC_CATEGORY_ND &&
                                     found <= UTF8PROC_CATEGORY_NO);
}

bool is_mark(char32_t code) {
  return dated_mark(code).value_or(is_mark_category(category(code)));
}

bool is_nonspacing_mark(char32_t code) {
  return dated_nonspacing_mark(code).value_or(category(code) == UTF8PROC_CATEGORY_MN);
}

bool is_control(char32_t code) {
  const utf8proc_category_t found = category(code);
  return dated_control(code).value_or(found == UTF8PROC_CATEGORY_CC ||
                                      found == UTF8PROC_CATEGORY_CF ||
                                      found == UTF8PROC_CATEGORY_CO);
}

bool is_punctuation(char32_t code) {
  if (code < 0x80) return is_ascii_punctuation(code);
  const utf8proc_category_t found = category(code);
  return dated_punctuation(code).value_or(found >= UTF8PROC_CATEGORY_PC &&
                                          found <= UTF8PROC_CATEGORY_PO);
}

bool is_word_character(char32_t code) {
  const utf8proc_category_t found = category(code);
  const bool is_letter = found >= UTF8PROC_CATEGORY_LU && found <= UTF8PROC_CATEGORY_LO;
  return is_letter || is_mark_category(found) || found == UTF8PROC_CATEGORY_ND ||
         found == UTF8PROC_CATEGORY_NL || found == UTF8PROC_CATEGORY_PC || code == 0x200C ||
         code == 0x200D || is_enclosed_letter(code) || dated_word_character(code).value_or(false);
}

// An inert character is a wall: what is before it and what is behind it do not touch.
std::string normal_form(std::string_view text, NormalForm form) {
  if (is_ascii(text)) return std::string(text);
  std::string normal;
  normal.reserve(text.size());
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const Utf8Char found = utf8_at(text, at);
    if (is_inert_when_normalized(found.code)) {
      append_normal_form(text.substr(begin, at - begin), form, normal);
      normal += text.substr(at, found.bytes);
      begin = at + found.bytes;
    }
    at += found.bytes;
  }
  append_normal_form(text.substr(begin), form, normal);
  return normal;
}

std::string lower_case(std::string_view text) {
  constexpr char32_t kCapitalIWithDotAbove = 0x130;  // the one that becomes two characters
  std::string lower;
  lower.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Utf8Char found = utf8_at(text, at);
    at += found.bytes;
    if (found.code == kCapitalIWithDotAbove) {
      lower += "i\xCC\x87";
    } else {
      append_utf8(lower, lower_case(found.code));
    }
  }
  return lower;
}

}  // namespace qspec
