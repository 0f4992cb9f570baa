#include "engine/core/in_parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace qspec {
namespace {

constexpr size_t kMostThreads = 4;  // each may hold a file's header

class Calls {
 public:
  Calls(size_t count, const std::function<void(size_t)>& body) : body_(body), failures_(count) {}

  // Takes the next number until there is none. Numbers are taken in order, so that those below a
  // failed one are all called.
  void work() {
    for (size_t i = next_++; i < failures_.size() && !has_failed_; i = next_++) {
      try {
        body_(i);
      } catch (...) {  // no Lua here
        failures_[i] = std::current_exception();
        has_failed_ = true;
      }
    }
  }

  void rethrow() const {
    for (const std::exception_ptr& failure : failures_) {
      if (failure != nullptr) std::rethrow_exception(failure);
    }
  }

 private:
  const std::function<void(size_t)>& body_;
  std::vector<std::exception_ptr> failures_;
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> has_failed_ = false;
};

}  // namespace

void in_parallel(size_t count, const std::function<void(size_t)>& body, size_t calls_per_thread) {
  const size_t processors = std::thread::hardware_concurrency();
  const size_t wanted = std::min({processors, kMostThreads, count / calls_per_thread});
  Calls calls(count, body);
  std::vector<std::jthread> helpers;
  try {
    while (helpers.size() + 1 < wanted) helpers.emplace_back([&] { calls.work(); });
  } catch (const std::system_error&) {
    // The system grants no more threads: those that there are do all.
  }
  calls.work();
  helpers.clear();
  calls.rethrow();
}

}  // namespace qspec
