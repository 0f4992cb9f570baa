#pragma once

#include <cstdint>

#include "engine/core/byte_source.h"

namespace qspec {

// What the end of the archive says of its directory.
struct ZipEnd {
  uint64_t members = 0;
  uint64_t directory_at = 0;
  uint64_t directory_bytes = 0;
};

// The end record, which is the last of the file, and the 64-bit one before it when there is one.
// The directory ends where they begin, and is no longer than our limits.
ZipEnd read_zip_end(const ByteSource& source);

}  // namespace qspec
