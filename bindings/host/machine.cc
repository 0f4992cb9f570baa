#include "bindings/host/machine.h"

#include <sched.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>

namespace qspec::lua {

namespace fs = std::filesystem;

MemorySize machine_memory() {
  MemorySize memory;
  std::ifstream lines("/proc/meminfo");
  std::string label, unit;
  uint64_t kibibytes = 0;
  while (lines >> label >> kibibytes) {
    std::getline(lines, unit);
    if (label == "MemTotal:") memory.total = kibibytes * 1024;
    if (label == "MemAvailable:") memory.available = kibibytes * 1024;
  }
  return memory;
}

int usable_cpus() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  return sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
}

std::string utc_time_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  gmtime_r(&now, &parts);
  char text[32];
  const size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, length};
}

bool is_mapped(std::string_view part) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(part) != std::string::npos) return true;
  }
  return false;
}

Listing list_folder(const std::string& path) {
  Listing listing;
  std::error_code failure;
  fs::directory_iterator entry(path, failure);
  for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    listing.names.push_back(entry->path().filename().string());
  }
  if (failure) listing.failure = failure.message();
  std::sort(listing.names.begin(), listing.names.end());
  return listing;
}

std::optional<std::string> kind_of(const std::string& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  switch (status.type()) {
    case fs::file_type::none:
    case fs::file_type::not_found:
      return std::nullopt;
    case fs::file_type::regular:
      return "file";
    case fs::file_type::directory:
      return "directory";
    default:
      return "other";
  }
}

}  // namespace qspec::lua
