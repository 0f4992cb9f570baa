#pragma once

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engine/core/error.h"
#include "engine/upload/device.h"

namespace qspec::test {

// A device in host memory: a copy is done when somebody waits for a mark behind it, and no sooner.
// Counts what it gave out.
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

  void make_marks(size_t count) override { marks_.resize(count); }
  void copy(std::byte* to, std::span<const std::byte> from) override {
    if (on_copy) on_copy();
    const std::lock_guard lock(mutex_);
    queue_.push_back({to, from});
  }
  void set_mark(size_t mark) override {
    {
      const std::lock_guard lock(mutex_);
      marks_[mark] = queue_.size();
    }
    // So that what must not depend on who comes first meets every order.
    if (mark % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  void wait_for_mark(size_t mark) override { do_until(mark); }
  void work_after_mark(size_t mark) override { do_until(mark); }
  void copies_after_work() override { ++waits_for_work; }

  size_t blocks() const { return blocks_.size(); }

  std::function<void()> on_copy;
  uint64_t allocated = 0, staging = 0;
  int waits_for_work = 0;

 private:
  struct Copy {
    std::byte* to;
    std::span<const std::byte> from;
  };

  void do_until(size_t mark) {
    const std::lock_guard lock(mutex_);
    for (; done_ < marks_[mark]; ++done_) {
      std::memcpy(queue_[done_].to, queue_[done_].from.data(), queue_[done_].from.size());
    }
  }

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
  std::mutex mutex_;
  std::vector<Copy> queue_;
  std::vector<size_t> marks_;  // copies queued before each
  size_t done_ = 0;
};

}  // namespace qspec::test
