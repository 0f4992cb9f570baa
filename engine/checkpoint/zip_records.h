#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/core/byte_source.h"

namespace qspec {

// The records of a zip archive, each read and checked alone; zip.cc puts them together.

// What the directory says of one member.
struct ZipRecord {
  std::string name;
  uint64_t bytes = 0;
  uint64_t header_at = 0;  // of its local header
  uint64_t record_at = 0;  // of this record, for errors
  uint32_t crc = 0;
  uint16_t flags = 0;
};

// Walks the directory, whose bytes are `text`.
class ZipCentralRecords {
 public:
  ZipCentralRecords(const ByteSource& source, std::string_view text, uint64_t begin)
      : source_(source), text_(text), begin_(begin) {}

  ZipRecord next();
  void require_end() const;

 private:
  std::string_view take(uint64_t bytes);
  void take_wide_fields(ZipRecord& record, std::string_view extra, bool is_wide_size,
                        bool is_wide_place) const;
  void check_name(const ZipRecord& record) const;

  const ByteSource& source_;
  std::string_view text_;
  uint64_t begin_;
  size_t used_ = 0;
};

// Compares the local header of `record` with it. Returns where the member's data begins, at most
// `limit`.
uint64_t read_zip_local_header(const ByteSource& source, const ZipRecord& record, uint64_t limit);

// Compares what lies between the member's end and `limit` with `record`: its descriptor, or
// nothing.
void check_zip_descriptor(const ByteSource& source, const ZipRecord& record, uint64_t end,
                          uint64_t limit);

}  // namespace qspec
