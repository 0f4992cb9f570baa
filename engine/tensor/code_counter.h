#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace qspec {

// Counts the codes of little endian bitstreams (kernels.h, CodedRow). Whole bytes are counted first
// and taken apart at the end, where they hold a whole number of codes.
class CodeCounter {
 public:
  explicit CodeCounter(int64_t bits) : bits_(static_cast<size_t>(bits)) {}

  // Codes first.. of the row that begins at `row`.
  void add(const uint8_t* row, size_t first, size_t count);

  // `codes` has 2^bits counters.
  void add_to(std::vector<int64_t>& codes) const;

 private:
  void add_one_by_one(const uint8_t* row, size_t first, size_t end);

  size_t bits_;
  // Two counters a value: a run of equal bytes would wait for its own increments.
  std::array<std::array<int64_t, 256>, 2> bytes_{};
  std::array<int64_t, 256> single_{};
};

}  // namespace qspec
