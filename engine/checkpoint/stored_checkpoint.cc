#include "engine/checkpoint/stored_checkpoint.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <utility>

#include "engine/checkpoint/safetensors.h"
#include "engine/core/error.h"
#include "engine/core/file.h"

namespace qspec {
namespace {

bool same_but_for_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// Other shards have names as near as can be and are not what is meant.
std::string missing_shard_hint(const std::filesystem::path& shard) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(shard.parent_path(), ignored)) {
    const std::string name = entry.path().filename().string();
    if (same_but_for_case(name, shard.filename().string())) {
      return "did you mean '" + printable(name) + "'?";
    }
  }
  return "the download or copy is not complete: fetch this shard";
}

std::shared_ptr<const File> open_shard(const WeightFiles& files, const ShardIndex::Shard& shard) {
  const std::filesystem::path path = std::filesystem::path(files.folder) / shard.file;
  require_inside(files.folder, path.string());
  std::error_code code;
  if (!std::filesystem::exists(path, code) && !code) {
    throw Error(ErrorKind::kIo, "shard '" + printable(shard.file) + "' is missing; tensor '" +
                                    printable(shard.first_tensor) + "' is in it")
        .at(printable_path(path.string()))
        .hint(missing_shard_hint(path));
  }
  return File::open(path.string());
}

}  // namespace

std::shared_ptr<Checkpoint> Checkpoint::open(const std::string& path) {
  return std::make_shared<StoredCheckpoint>(path, locate_weights(path));
}

StoredCheckpoint::StoredCheckpoint(std::string path, const WeightFiles& files)
    : path_(std::move(path)), problems_(files.problems) {
  if (files.index.empty()) {
    add_file(File::open(files.single));
  } else {
    const std::string text = read_text_file(files.index, kMaxIndexBytes);
    const ShardIndex index = parse_shard_index(text, files.index);
    open_shards(files, index);
    settle_duplicates(index);
    compare(index);
    compare_total_size(index);
  }
  if (tensors_.empty()) {
    throw Error(ErrorKind::kCheckpoint, "the file holds no tensors")
        .at(printable_path(files_.front().path));
  }
  index_names();
}

void StoredCheckpoint::open_shards(const WeightFiles& files, const ShardIndex& index) {
  for (const ShardIndex::Shard& shard : index.shards) add_file(open_shard(files, shard));
}

void StoredCheckpoint::add_file(std::shared_ptr<const ByteSource> source) {
  SafetensorsHeader header = read_safetensors_header(*source);
  const auto number = static_cast<uint32_t>(files_.size());
  for (TensorEntry& entry : header.tensors) {
    entry.file = number;
    tensors_.push_back(std::move(entry));
  }
  files_.push_back({source->path(), source->size(), header.bytes, std::move(header.metadata)});
  sources_.push_back(std::move(source));
}

std::string StoredCheckpoint::file_name(uint32_t file) const {
  return std::filesystem::path(files_[file].path).filename().string();
}

// Keeps of each name the tensor that the index means, or the first.
void StoredCheckpoint::settle_duplicates(const ShardIndex& index) {
  std::unordered_map<std::string_view, size_t> kept;
  std::vector<bool> is_extra(tensors_.size(), false);
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const auto [known, is_new] = kept.try_emplace(tensors_[i].name, i);
    if (is_new) continue;
    const auto placed = index.shard_of.find(tensors_[i].name);
    const bool replaces = placed != index.shard_of.end() && placed->second == tensors_[i].file;
    const size_t extra = replaces ? std::exchange(known->second, i) : i;
    is_extra[extra] = true;
    problems_.push_back({"duplicate", tensors_[i].name,
                         "in " + file_name(tensors_[extra].file) + " too",
                         "only in " + file_name(tensors_[known->second].file)});
  }
  if (kept.size() == tensors_.size()) return;
  std::vector<TensorEntry> rest;
  rest.reserve(kept.size());
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (!is_extra[i]) rest.push_back(std::move(tensors_[i]));
  }
  tensors_ = std::move(rest);
}

void StoredCheckpoint::compare(const ShardIndex& index) {
  std::unordered_map<std::string_view, uint32_t> stored_in;
  for (const TensorEntry& entry : tensors_) {
    stored_in.emplace(entry.name, entry.file);
    if (index.shard_of.contains(entry.name)) continue;
    problems_.push_back(
        {"unlisted", entry.name, "in " + file_name(entry.file), "in the index too"});
  }
  for (const std::string& name : index.names) {
    const uint32_t wanted = index.shard_of.at(name);
    const auto found = stored_in.find(name);
    if (found == stored_in.end()) {
      problems_.push_back({"ghost", name, "in no shard", "in " + file_name(wanted)});
    } else if (found->second != wanted) {
      problems_.push_back(
          {"misplaced", name, "in " + file_name(found->second), "in " + file_name(wanted)});
    }
  }
}

void StoredCheckpoint::compare_total_size(const ShardIndex& index) {
  uint64_t stored = 0;
  for (const TensorEntry& entry : tensors_) stored += entry.bytes;
  if (!index.odd_total_size.empty()) {
    problems_.push_back(
        {"total_size", "", printable(index.odd_total_size), std::to_string(stored)});
  } else if (index.total_size && *index.total_size != stored) {
    problems_.push_back(
        {"total_size", "", std::to_string(*index.total_size), std::to_string(stored)});
  }
}

void StoredCheckpoint::index_names() {
  by_name_.reserve(tensors_.size());
  for (size_t i = 0; i < tensors_.size(); ++i) by_name_.emplace(tensors_[i].name, i);
}

const TensorEntry* StoredCheckpoint::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &tensors_[found->second];
}

void StoredCheckpoint::read(const TensorEntry& entry, uint64_t begin,
                            std::span<std::byte> out) const {
  if (entry.file >= sources_.size() || begin > entry.bytes || out.size() > entry.bytes - begin) {
    throw Error(ErrorKind::kInternal, "read of " + std::to_string(out.size()) + " bytes at byte " +
                                          std::to_string(begin) + " of tensor '" +
                                          printable(entry.name) + "', which has " +
                                          std::to_string(entry.bytes));
  }
  sources_[entry.file]->read_at(entry.offset + begin, out);
}

}  // namespace qspec
