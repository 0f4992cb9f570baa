#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/checkpoint/checkpoint.h"

namespace qspec {

// What one file of weights says of itself, whatever kind of file it is.
struct FileHeader {
  uint64_t bytes = 0;  // all that is not tensor data
  std::map<std::string, std::string> metadata;
  std::vector<MetadataEntry> values;  // metadata with types, in the order of the file
  std::vector<TensorEntry> tensors;   // by offset, which counts from the start of the file
  std::vector<CheckpointProblem> problems;
};

}  // namespace qspec
