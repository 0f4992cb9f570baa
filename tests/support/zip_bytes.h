#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/crc32.h"

namespace qspec::test {

inline std::string little(uint64_t value, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xFF);
  return text;
}

// A member of an archive to be made; what is set here is written as it is.
struct ZipPart {
  ZipPart(std::string part_name, std::string part_data)
      : name(std::move(part_name)), local_name(name), data(std::move(part_data)) {
    crc = crc32(data);
  }

  std::string name;
  std::string local_name;
  std::string data;
  uint32_t crc = 0;
  uint16_t flags = 0;
  uint16_t method = 0;
  std::string local_extra;
  std::string behind;  // between this member and the next: its descriptor
};

// With its sizes behind its data, as torch writes each member.
inline ZipPart with_descriptor(std::string name, std::string data, size_t width = 4) {
  ZipPart part(std::move(name), std::move(data));
  part.flags = 0x0808;
  part.behind = "PK\7\x8" + little(part.crc, 4) + little(part.data.size(), width) +
                little(part.data.size(), width);
  return part;
}

inline std::string local_header(const ZipPart& part) {
  const bool is_stated_later = (part.flags & 8) != 0;
  const uint64_t size = is_stated_later ? 0 : part.data.size();
  return "PK\3\4" + little(20, 2) + little(part.flags, 2) + little(part.method, 2) + little(0, 4) +
         little(is_stated_later ? 0 : part.crc, 4) + little(size, 4) + little(size, 4) +
         little(part.local_name.size(), 2) + little(part.local_extra.size(), 2) + part.local_name +
         part.local_extra;
}

// With `wide`, sizes and places stand in the 64-bit fields, as they must from 4 GiB on.
inline std::string central_record(const ZipPart& part, uint64_t place, bool wide) {
  const std::string extra = wide ? little(1, 2) + little(24, 2) + little(part.data.size(), 8) +
                                       little(part.data.size(), 8) + little(place, 8)
                                 : "";
  const uint64_t size = wide ? UINT32_MAX : part.data.size();
  return "PK\1\2" + little(0, 4) + little(part.flags, 2) + little(part.method, 2) + little(0, 4) +
         little(part.crc, 4) + little(size, 4) + little(size, 4) + little(part.name.size(), 2) +
         little(extra.size(), 2) + std::string(10, '\0') + little(wide ? UINT32_MAX : place, 4) +
         part.name + extra;
}

inline std::string end_record(size_t members, uint64_t bytes, uint64_t place) {
  return "PK\5\6" + little(0, 4) + little(members, 2) + little(members, 2) + little(bytes, 4) +
         little(place, 4) + little(0, 2);
}

// The 64-bit end record, its locator, and the plain one.
inline std::string wide_end_records(size_t members, uint64_t bytes, uint64_t place) {
  return "PK\6\6" + little(44, 8) + little(0x002D'031E, 4) + little(0, 8) + little(members, 8) +
         little(members, 8) + little(bytes, 8) + little(place, 8) + "PK\6\7" + little(0, 4) +
         little(place + bytes, 8) + little(1, 4) + end_record(members, bytes, place);
}

inline std::string zip(const std::vector<ZipPart>& parts, bool wide = false) {
  std::string file;
  std::string directory;
  for (const ZipPart& part : parts) {
    directory += central_record(part, file.size(), wide);
    file += local_header(part) + part.data + part.behind;
  }
  const uint64_t place = file.size();
  file += directory;
  return file + (wide ? wide_end_records(parts.size(), directory.size(), place)
                      : end_record(parts.size(), directory.size(), place));
}

}  // namespace qspec::test
