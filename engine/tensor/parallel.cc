#include "engine/tensor/parallel.h"

#include <torch/csrc/stable/c/shim.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

#include "engine/core/error.h"

namespace qspec {
namespace {

struct Job {
  const std::function<void(int64_t, int64_t)>& body;
  int64_t count;
  int64_t grain;
  std::mutex mutex = {};
  std::exception_ptr failure = nullptr;
};

void run(int64_t first_grain, int64_t last_grain, void* context) {
  auto& job = *static_cast<Job*>(context);
  try {
    job.body(first_grain * job.grain, std::min(last_grain * job.grain, job.count));
  } catch (...) {
    const std::lock_guard lock(job.mutex);
    if (!job.failure) job.failure = std::current_exception();
  }
  // Streamed stores are ordered by nothing weaker.
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace

// at::parallel_for is a template that needs OpenMP in the compiler; its C entry point does not.
void parallel_ranges(int64_t count, int64_t grain,
                     const std::function<void(int64_t begin, int64_t end)>& body) {
  if (count <= 0) return;
  Job job{body, count, grain};
  const int64_t grains = (count + grain - 1) / grain;
  if (torch_parallel_for(0, grains, 1, run, &job) != 0) {
    throw Error(ErrorKind::kInternal, "LibTorch's threads could not be used");
  }
  if (job.failure) std::rethrow_exception(job.failure);
}

}  // namespace qspec
