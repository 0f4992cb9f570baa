#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace qspec {

// Bytes at fixed positions: a file, or memory. Safe to read from several threads.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // How errors name it.
  virtual const std::string& path() const = 0;
  virtual uint64_t size() const = 0;
  // Fills all of `out` from the bytes at `offset`, or throws Error(kIo).
  virtual void read_at(uint64_t offset, std::span<std::byte> out) const = 0;
};

}  // namespace qspec
