#include "engine/tensor/page_pool.h"

#include <sys/mman.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/error.h"

namespace qspec {
namespace {

constexpr size_t kHugePage = 2 << 20;
constexpr size_t kMostKept = size_t{1} << 30;

class Pool {
 public:
  // The smallest kept pages of `bytes` or up to a quarter more.
  std::optional<Pages> take(size_t bytes) {
    const std::lock_guard lock(mutex_);
    auto best = kept_.end();
    for (auto pages = kept_.begin(); pages != kept_.end(); ++pages) {
      const bool fits = pages->bytes >= bytes && pages->bytes <= bytes + bytes / 4;
      if (fits && (best == kept_.end() || pages->bytes < best->bytes)) best = pages;
    }
    if (best == kept_.end()) return std::nullopt;
    const Pages pages = *best;
    kept_.erase(best);
    kept_bytes_ -= pages.bytes;
    return pages;
  }

  // Returns what it drops instead, the longest kept first.
  std::vector<Pages> keep(Pages pages) {
    const std::lock_guard lock(mutex_);
    kept_.push_back(pages);
    kept_bytes_ += pages.bytes;
    std::vector<Pages> dropped;
    while (kept_bytes_ > kMostKept) {
      dropped.push_back(kept_.front());
      kept_bytes_ -= kept_.front().bytes;
      kept_.erase(kept_.begin());
    }
    return dropped;
  }

 private:
  std::mutex mutex_;
  std::vector<Pages> kept_;  // in the order in which they came
  size_t kept_bytes_ = 0;
};

// Never destroyed: tensors may be freed while the process ends.
Pool& pool() {
  static Pool& instance = *new Pool;
  return instance;
}

// Maps more than is needed and unmaps what is before and behind the aligned part.
Pages map_pages(size_t bytes) {
  const size_t mapped = bytes + kHugePage;
  void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw Error(ErrorKind::kDevice, "cannot get " + std::to_string(bytes) + " bytes of memory")
        .hint("release tensors that are no longer needed");
  }
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t aligned = (begin + kHugePage - 1) / kHugePage * kHugePage;
  if (aligned > begin) munmap(memory, aligned - begin);
  const size_t behind = begin + mapped - (aligned + bytes);
  if (behind > 0) munmap(reinterpret_cast<void*>(aligned + bytes), behind);
  Pages pages{reinterpret_cast<void*>(aligned), bytes};
  madvise(pages.memory, bytes, MADV_HUGEPAGE);  // a hint: small pages do too
  return pages;
}

}  // namespace

Pages take_pages(size_t bytes) {
  const size_t rounded = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  if (const std::optional<Pages> kept = pool().take(rounded)) return *kept;
  return map_pages(rounded);
}

void give_back_pages(Pages pages) {
  for (const Pages& dropped : pool().keep(pages)) munmap(dropped.memory, dropped.bytes);
}

}  // namespace qspec
