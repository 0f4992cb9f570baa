#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qspec::lua {

// What the program asks the operating system.

struct MemorySize {
  uint64_t total = 0;
  uint64_t available = 0;  // without swapping
};

MemorySize machine_memory();
int usable_cpus();           // those that this process may run on
std::string utc_time_now();  // ISO 8601, to the second: "2026-01-31T12:00:00Z"

// Whether a file whose path holds `part` is mapped into the process.
bool is_mapped(std::string_view part);

// Names in a folder, sorted, without "." and ".."; the reason instead when it cannot be read.
struct Listing {
  std::vector<std::string> names;
  std::string failure;
};
Listing list_folder(const std::string& path);

// "file", "directory", "other", links followed; nothing when there is nothing.
std::optional<std::string> kind_of(const std::string& path);

}  // namespace qspec::lua
