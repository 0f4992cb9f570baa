#include "engine/core/timeline.h"

#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <mutex>
#include <utility>

namespace qspec {
namespace {

struct Records {
  std::mutex mutex;
  std::vector<Span> spans;
};

// Never destroyed: threads may end after main.
Records& records() {
  static Records& instance = *new Records;
  return instance;
}

double clock_seconds(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Field 22 of /proc/self/stat, the beginning in ticks since the machine booted; now where that
// cannot be read. The name in field 2 may hold anything, hence the count from its last bracket.
double process_start() {
  double found = clock_seconds(CLOCK_BOOTTIME);
  std::FILE* file = std::fopen("/proc/self/stat", "re");
  if (file == nullptr) return found;
  char text[1024] = {};
  const size_t count = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  const std::string line(text, count);
  const size_t bracket = line.rfind(')');
  unsigned long long ticks = 0;
  if (bracket != std::string::npos &&
      std::sscanf(
          line.c_str() + bracket + 1,
          " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
          &ticks) == 1) {
    found = static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  return found;
}

}  // namespace

double seconds_since_start() {
  static const double start = process_start();
  return clock_seconds(CLOCK_BOOTTIME) - start;
}

void add_span(std::string name, double began, double ended) {
  const std::lock_guard lock(records().mutex);
  records().spans.push_back({std::move(name), began, ended - began});
}

std::vector<Span> timeline() {
  const std::lock_guard lock(records().mutex);
  return records().spans;
}

Timed::Timed(std::string name) : name_(std::move(name)), began_(seconds_since_start()) {}

Timed::~Timed() {
  add_span(std::move(name_), began_, seconds_since_start());
}

}  // namespace qspec
