#include "engine/text/charsmap.h"

#include <bit>
#include <cstring>

#include "engine/core/error.h"
#include "engine/text/utf8.h"

namespace qspec {
namespace {

static_assert(std::endian::native == std::endian::little);

// The fields of a unit.
bool has_value(uint32_t unit) {
  return (unit >> 8 & 1) != 0;
}
uint32_t value(uint32_t unit) {
  return unit & 0x7FFFFFFF;
}
uint32_t label(uint32_t unit) {
  return unit & 0x800000FF;
}
size_t offset(uint32_t unit) {
  return static_cast<size_t>(unit >> 10) << ((unit & 0x200) >> 6);
}

Error damaged(const std::string& what) {
  return Error(ErrorKind::kCheckpoint, "damaged precompiled_charsmap: " + what);
}

}  // namespace

Charsmap::Charsmap(std::string_view bytes) {
  uint32_t size = 0;
  if (bytes.size() < sizeof size)
    throw damaged("it has " + std::to_string(bytes.size()) + " bytes");
  std::memcpy(&size, bytes.data(), sizeof size);
  bytes.remove_prefix(sizeof size);
  if (size == 0 || size % sizeof(uint32_t) != 0 || size > bytes.size()) {
    throw damaged("an array of " + std::to_string(size) + " bytes in " +
                  std::to_string(bytes.size()));
  }
  units_.resize(size / sizeof(uint32_t));
  std::memcpy(units_.data(), bytes.data(), size);
  texts_ = bytes.substr(size);
  if (const auto at = first_invalid_utf8(texts_)) {
    throw damaged("its texts are not UTF-8 at byte " + std::to_string(*at));
  }
}

std::optional<std::string_view> Charsmap::find(std::string_view text) const {
  size_t node = offset(unit(0));
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte == 0) break;
    node ^= byte;
    const uint32_t found = unit(node);
    if (label(found) != byte) break;
    node ^= offset(found);
    if (has_value(found)) return text_at(value(unit(node)));
  }
  return std::nullopt;
}

uint32_t Charsmap::unit(size_t node) const {
  if (node < units_.size()) return units_[node];
  throw damaged("it leads to unit " + std::to_string(node) + " of " +
                std::to_string(units_.size()));
}

std::string_view Charsmap::text_at(uint32_t place) const {
  const auto refuse = [&](const char* why) {
    throw damaged("it leads to byte " + std::to_string(place) + " of its texts, " + why);
  };
  if (place > texts_.size()) refuse("which are shorter");
  const std::string_view rest = std::string_view(texts_).substr(place);
  if (!rest.empty() && !utf8_at(rest, 0).valid) refuse("which is inside a character");
  return rest.substr(0, rest.find('\0'));
}

}  // namespace qspec
