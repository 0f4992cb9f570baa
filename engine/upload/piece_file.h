#pragma once

#include <memory>
#include <span>
#include <string>

#include "engine/core/byte_source.h"

namespace qspec {

// A file that is read in pieces (pieces.h), once, by several threads: what the page cache has comes
// from there, the rest straight from the disk where the file system can do that, past the cache.
class PieceFile {
 public:
  // Throws Error(kIo).
  explicit PieceFile(const std::string& path);
  ~PieceFile();
  PieceFile(const PieceFile&) = delete;
  PieceFile& operator=(const PieceFile&) = delete;

  // Fills `out` from `offset` on, as far as the file reaches. `offset`, the length and the memory
  // are multiples of kPageBytes. Throws Error(kIo), also where fewer than `least` bytes are there.
  void read(uint64_t offset, std::span<std::byte> out, uint64_t least) const;

 private:
  bool is_cached(uint64_t offset, size_t bytes) const;
  size_t read_direct(uint64_t offset, std::span<std::byte> out) const;

  std::shared_ptr<const ByteSource> file_;  // the ordinary way
  int cached_ = -1;                         // asked for what is in memory
  int direct_ = -1;                         // past the cache; -1 where that cannot be
};

}  // namespace qspec
