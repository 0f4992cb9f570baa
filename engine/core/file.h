#pragma once

#include <memory>
#include <string>

#include "engine/core/byte_source.h"

namespace qspec {

// A regular file, open for reading until destruction. Read by position and never mapped: a file
// that shrinks meanwhile is an Error, not a signal.
class File final : public ByteSource {
 public:
  // Throws Error(kIo), without waiting, for what is not a regular file (a folder, a pipe, a
  // device) and for what the operating system refuses to open.
  static std::shared_ptr<const File> open(const std::string& path);

  ~File() override;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const override { return path_; }
  uint64_t size() const override { return size_; }
  void read_at(uint64_t offset, std::span<std::byte> out) const override;

 private:
  File(std::string path, int descriptor, uint64_t size)
      : path_(std::move(path)), descriptor_(descriptor), size_(size) {}

  std::string path_;
  int descriptor_;
  uint64_t size_;
};

// The whole text of a regular file of at most `max_bytes`. Throws Error(kIo), or
// Error(kCheckpoint) when it is longer.
std::string read_text_file(const std::string& path, uint64_t max_bytes);

}  // namespace qspec
