#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/checkpoint/checkpoint.h"
#include "engine/checkpoint/shard_index.h"

namespace qspec {

// The tensors that an index is held against, each name once.
struct IndexedTensors {
  const std::vector<TensorEntry>& all;
  // One of `all`, or nullptr.
  std::function<const TensorEntry*(std::string_view)> find;
  // Where a tensor lies, as the index writes names of files.
  std::function<std::string(const TensorEntry&)> file_of;
};

// What an index says and the tensors do not, and the other way round: "unlisted", "ghost",
// "misplaced", "total_size".
std::vector<CheckpointProblem> index_problems(const ShardIndex& index,
                                              const IndexedTensors& tensors);

}  // namespace qspec
