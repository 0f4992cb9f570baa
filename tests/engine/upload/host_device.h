#pragma once

#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "engine/core/error.h"
#include "engine/upload/device.h"

namespace qspec::test {

// A device in host memory: copies are done when they are queued. Counts what it gave out.
class HostDevice final : public UploadDevice {
 public:
  explicit HostDevice(uint64_t memory) : free_(memory) {}
  ~HostDevice() override = default;

  void enter() override {}
  int number() const override { return 0; }
  uint64_t free_bytes() override { return free_; }

  std::byte* allocate(uint64_t bytes) override {
    if (bytes > free_) {
      throw Error(ErrorKind::kDevice, "out of memory: " + std::to_string(bytes));
    }
    allocated = bytes;
    return new_block(bytes);
  }
  void give_back(std::byte* memory) noexcept override { free_block(memory); }
  std::byte* allocate_staging(uint64_t bytes) override {
    staging = bytes;
    return new_block(bytes);
  }
  void give_back_staging(std::byte* memory) noexcept override { free_block(memory); }

  void make_marks(size_t) override {}
  void copy(std::byte* to, std::span<const std::byte> from) override {
    if (on_copy) on_copy();
    std::memcpy(to, from.data(), from.size());
  }
  void set_mark(size_t) override {}
  void wait_for_mark(size_t) override {}
  void work_after_mark(size_t) override {}
  void copies_after_work() override { ++waits_for_work; }

  size_t blocks() const { return blocks_.size(); }

  std::function<void()> on_copy;
  uint64_t allocated = 0, staging = 0;
  int waits_for_work = 0;

 private:
  std::byte* new_block(uint64_t bytes) {
    auto* memory = static_cast<std::byte*>(std::aligned_alloc(4096, (bytes / 4096 + 1) * 4096));
    blocks_.insert(memory);
    return memory;
  }
  void free_block(std::byte* memory) noexcept {
    blocks_.erase(memory);
    std::free(memory);
  }

  uint64_t free_;
  std::set<std::byte*> blocks_;
};

}  // namespace qspec::test
