#pragma once

#include <cstdint>
#include <vector>

#include "engine/text/component.h"
#include "engine/text/vocabulary.h"

namespace qspec {

// The pairs that byte-pair encoding joins, each with its rank (0 is joined first) and the id of
// what it becomes.
class Merges {
 public:
  struct Merge {
    uint32_t rank;
    int32_t id;
  };

  // Of from's member "merges": a list of "left right" or of [left, right]. The joined token leaves
  // out the first `prefix_bytes` of the right one. Throws Error(kCheckpoint) for a merge that is
  // not of two tokens, or not into one.
  Merges(const Component& from, const Vocabulary& vocabulary, size_t prefix_bytes);

  // nullptr when the two are not joined.
  const Merge* find(int32_t left, int32_t right) const;

 private:
  struct Slot {
    uint64_t pair = kFree;
    Merge merge{};
  };
  static constexpr uint64_t kFree = UINT64_MAX;

  size_t slot_of(uint64_t pair) const;

  std::vector<Slot> slots_;  // open addressing
};

}  // namespace qspec
