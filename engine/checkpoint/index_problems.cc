#include "engine/checkpoint/index_problems.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "engine/core/error.h"

namespace qspec {
namespace {

std::string shown(const std::string& file) {
  return "in " + std::filesystem::path(file).filename().string();
}

void add_names(std::vector<CheckpointProblem>& problems, const ShardIndex& index,
               const IndexedTensors& tensors) {
  std::vector<bool> is_listed(tensors.all.size(), false);
  std::vector<CheckpointProblem> in_index;
  for (size_t i = 0; i < index.names.size(); ++i) {
    const std::string& name = index.names[i];
    const std::string& wanted = index.shards[index.shard_of[i]].file;
    const TensorEntry* found = tensors.find(name);
    if (found == nullptr) {
      in_index.push_back({"ghost", name, "in no shard", shown(wanted)});
      continue;
    }
    is_listed[static_cast<size_t>(found - tensors.all.data())] = true;
    const std::string file = tensors.file_of(*found);
    if (file != wanted) in_index.push_back({"misplaced", name, shown(file), shown(wanted)});
  }
  for (size_t i = 0; i < tensors.all.size(); ++i) {
    if (is_listed[i]) continue;
    const TensorEntry& entry = tensors.all[i];
    problems.push_back({"unlisted", entry.name, shown(tensors.file_of(entry)), "in the index too"});
  }
  std::ranges::move(in_index, std::back_inserter(problems));
}

void add_total_size(std::vector<CheckpointProblem>& problems, const ShardIndex& index,
                    const IndexedTensors& tensors) {
  uint64_t stored = 0;
  uint64_t distinct = 0;  // what tensors share is in one file and counted once
  const TensorEntry* before = nullptr;
  for (const TensorEntry& entry : tensors.all) {
    const bool is_shared = before != nullptr && before->file == entry.file &&
                           entry.file != kInMemory && before->offset == entry.offset &&
                           before->bytes == entry.bytes;
    stored += entry.bytes;
    distinct += is_shared ? 0 : entry.bytes;
    before = &entry;
  }
  if (!index.odd_total_size.empty()) {
    problems.push_back({"total_size", "", printable(index.odd_total_size), std::to_string(stored)});
  } else if (index.total_size && *index.total_size != stored && *index.total_size != distinct) {
    problems.push_back(
        {"total_size", "", std::to_string(*index.total_size), std::to_string(stored)});
  }
}

}  // namespace

std::vector<CheckpointProblem> index_problems(const ShardIndex& index,
                                              const IndexedTensors& tensors) {
  std::vector<CheckpointProblem> problems;
  add_names(problems, index, tensors);
  add_total_size(problems, index, tensors);
  return problems;
}

}  // namespace qspec
