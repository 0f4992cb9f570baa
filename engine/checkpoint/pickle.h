#pragma once

#include <string_view>

#include "engine/checkpoint/pickle_values.h"

namespace qspec {

inline constexpr uint64_t kMaxPickleBytes = 64u << 20;
inline constexpr size_t kMaxPickleValues = 5'000'000;  // put on the stack, in one pickle
inline constexpr size_t kMaxPickleMemo = 1'000'000;
inline constexpr size_t kMaxPickleDepth = 64;

// A pickle and where it stands, for the errors.
struct PickleText {
  std::string_view text;
  std::string_view file;
  uint64_t offset = 0;  // of the first byte within its file
};

// The values that a pickle of protocol 2 or 3 describes. It is read as data: nothing is imported,
// no object is made, nothing is called. Names outside of a closed list (pickle_names.h) are
// refused, and so are opcodes that make objects of classes. Throws Error(kCheckpoint |
// kUnsupported). The values refer to `source.text`.
PickleValues read_pickle(const PickleText& source);

}  // namespace qspec
