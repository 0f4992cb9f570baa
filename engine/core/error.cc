#include "engine/core/error.h"

#include <array>
#include <cstdio>

#include "engine/core/utf8.h"

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

std::string escaped(std::string_view text, size_t longest) {
  std::string shown;
  for (size_t i = 0; i < text.size();) {
    if (shown.size() >= longest) return shown + "...";
    const auto byte = static_cast<unsigned char>(text[i]);
    const size_t length = utf8_sequence(text.substr(i));
    if (length == 0 || byte < 0x20 || byte == 0x7F) {
      char code[5];
      std::snprintf(code, sizeof code, "\\x%02X", byte);
      shown += code;
      ++i;
    } else {
      shown += text.substr(i, length);
      i += length;
    }
  }
  return shown;
}

}  // namespace

std::string printable(std::string_view text) {
  return escaped(text, kLongestShown);
}

std::string printable_path(std::string_view path) {
  return escaped(path, path.max_size());
}

}  // namespace qspec
