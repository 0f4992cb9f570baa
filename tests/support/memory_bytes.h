#pragma once

#include <cstring>
#include <string>
#include <utility>

#include "engine/core/byte_source.h"
#include "engine/core/error.h"

namespace qspec::test {

// A file that exists only in memory.
class MemoryBytes final : public ByteSource {
 public:
  explicit MemoryBytes(std::string bytes, std::string path = "model.safetensors")
      : bytes_(std::move(bytes)), path_(std::move(path)) {}

  const std::string& path() const override { return path_; }
  uint64_t size() const override { return bytes_.size(); }
  void read_at(uint64_t offset, std::span<std::byte> out) const override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) {
      throw Error(ErrorKind::kIo, "read past the end").at(path_, offset);
    }
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
  }

 private:
  std::string bytes_;
  std::string path_;
};

}  // namespace qspec::test
