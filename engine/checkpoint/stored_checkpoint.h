#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/checkpoint/checkpoint.h"
#include "engine/checkpoint/locate.h"
#include "engine/checkpoint/shard_index.h"
#include "engine/core/byte_source.h"

namespace qspec {

// A checkpoint whose tensors are ranges of files of one container. The files stay open.
class StoredCheckpoint final : public Checkpoint {
 public:
  StoredCheckpoint(std::string path, const WeightFiles& files);

  const std::string& path() const override { return path_; }
  const std::vector<CheckpointFile>& files() const override { return files_; }
  const std::vector<TensorEntry>& tensors() const override { return tensors_; }
  const std::vector<CheckpointProblem>& problems() const override { return problems_; }
  const TensorEntry* find(std::string_view name) const override;
  void read(const TensorEntry& entry, uint64_t begin, std::span<std::byte> out) const override;

 private:
  void open_parts(const WeightFiles& files);
  void open_shards(const WeightFiles& files, const ShardIndex& index);
  void add_file(const Container& container, std::shared_ptr<const ByteSource> source);
  void add_file(std::shared_ptr<const ByteSource> source, FileHeader header);
  void settle_duplicates(const ShardIndex& index);
  void drop(const std::vector<bool>& is_dropped);
  void compare(const ShardIndex& index);
  void index_names();
  std::string file_name(uint32_t file) const;

  std::string path_;
  std::vector<std::shared_ptr<const ByteSource>> sources_;
  std::vector<CheckpointFile> files_;
  std::vector<TensorEntry> tensors_;
  std::vector<CheckpointProblem> problems_;
  std::unordered_map<std::string_view, size_t> by_name_;  // keys point into tensors_
};

}  // namespace qspec
