#include "engine/core/error.h"

#include <array>
#include <cstdio>

namespace qspec {

std::string_view kind_name(ErrorKind kind) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "usage", "spec", "checkpoint", "unsupported", "device", "io", "internal"};
  return kNames.at(static_cast<size_t>(kind));
}

Error& Error::at(std::string where) {
  where_ = std::move(where);
  return *this;
}

Error& Error::at(std::string_view file, unsigned long long byte_offset) {
  where_ = std::string(file) + ", byte " + std::to_string(byte_offset);
  return *this;
}

Error& Error::hint(std::string hint) {
  hint_ = std::move(hint);
  return *this;
}

namespace {

constexpr size_t kLongestShown = 200;

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 when there is none.
size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead >= 0xF5 || (lead >= 0x80 && lead < 0xC2) || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;   // overlong
  if (lead == 0xED && byte(1) >= 0xA0) return 0;  // surrogate
  if (lead == 0xF0 && byte(1) < 0x90) return 0;   // overlong
  if (lead == 0xF4 && byte(1) >= 0x90) return 0;  // past U+10FFFF
  return length;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  for (size_t i = 0; i < text.size();) {
    if (shown.size() >= kLongestShown) return shown + "...";
    const auto byte = static_cast<unsigned char>(text[i]);
    const size_t length = utf8_sequence(text.substr(i));
    if (length == 0 || byte < 0x20 || byte == 0x7F) {
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\x%02X", byte);
      shown += escaped;
      ++i;
    } else {
      shown += text.substr(i, length);
      i += length;
    }
  }
  return shown;
}

}  // namespace qspec
