#include "engine/core/base64.h"

#include <cstdint>
#include <optional>

#include "engine/core/error.h"

namespace qspec {
namespace {

std::optional<uint32_t> sextet(char letter) {
  if (letter >= 'A' && letter <= 'Z') return letter - 'A';
  if (letter >= 'a' && letter <= 'z') return letter - 'a' + 26;
  if (letter >= '0' && letter <= '9') return letter - '0' + 52;
  if (letter == '+') return 62;
  if (letter == '/') return 63;
  return std::nullopt;
}

}  // namespace

std::string base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) {
    throw Error(ErrorKind::kCheckpoint,
                "base64 of " + std::to_string(text.size()) + " letters, wanted a multiple of 4");
  }
  std::string_view letters = text;
  for (int i = 0; i < 2 && letters.ends_with('='); ++i) letters.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  uint32_t bits = 0;
  int count = 0;
  for (size_t at = 0; at < letters.size(); ++at) {
    const auto six = sextet(letters[at]);
    if (!six) {
      throw Error(ErrorKind::kCheckpoint, "'" + printable(letters.substr(at, 1)) + "' at byte " +
                                              std::to_string(at) + " is not base64");
    }
    bits = bits << 6 | *six;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFF);
  }
  return bytes;
}

}  // namespace qspec
