#include "engine/checkpoint/stored_checkpoint.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iterator>
#include <utility>

#include "engine/checkpoint/gguf_split.h"
#include "engine/checkpoint/index_problems.h"
#include "engine/core/error.h"
#include "engine/core/file.h"
#include "engine/core/in_parallel.h"

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
  if (!files.parts.empty()) {
    open_parts(files);
  } else if (files.index.empty()) {
    add_file(*files.container, File::open(files.single));
  } else {
    const std::string text = read_text_file(files.index, kMaxIndexBytes);
    const ShardIndex index = parse_shard_index(text, files.index, files.container->ending);
    open_shards(files, index);
    settle_duplicates(index);
    compare(index);
  }
  if (tensors_.empty()) {
    throw Error(ErrorKind::kCheckpoint, "the file holds no tensors")
        .at(printable_path(files_.front().path));
  }
  if (by_name_.empty()) index_names();
}

void StoredCheckpoint::open_shards(const WeightFiles& files, const ShardIndex& index) {
  struct Opened {
    std::shared_ptr<const ByteSource> source;
    FileHeader header;
  };
  std::vector<Opened> opened(index.shards.size());
  in_parallel(opened.size(), [&](size_t i) {
    opened[i].source = open_shard(files, index.shards[i]);
    opened[i].header = files.container->read_header(*opened[i].source);
  });
  size_t count = 0;
  for (const Opened& shard : opened) count += shard.header.tensors.size();
  tensors_.reserve(count);
  for (Opened& shard : opened) add_file(std::move(shard.source), std::move(shard.header));
}

void StoredCheckpoint::open_parts(const WeightFiles& files) {
  for (const std::string& part : files.parts) {
    require_inside(files.folder, part);
    add_file(*files.container, File::open(part));
  }
  check_gguf_split(files_, tensors_);
}

void StoredCheckpoint::add_file(const Container& container,
                                std::shared_ptr<const ByteSource> source) {
  FileHeader header = container.read_header(*source);
  add_file(std::move(source), std::move(header));
}

void StoredCheckpoint::add_file(std::shared_ptr<const ByteSource> source, FileHeader header) {
  const auto number = static_cast<uint32_t>(files_.size());
  for (TensorEntry& entry : header.tensors) {
    entry.file = number;
    tensors_.push_back(std::move(entry));
  }
  std::ranges::move(header.problems, std::back_inserter(problems_));
  files_.push_back({source->path(), source->size(), header.bytes, std::move(header.metadata),
                    std::move(header.values)});
  sources_.push_back(std::move(source));
}

std::string StoredCheckpoint::file_name(uint32_t file) const {
  return std::filesystem::path(files_[file].path).filename().string();
}

// Keeps of each name the tensor that the index means, or the first.
void StoredCheckpoint::settle_duplicates(const ShardIndex& index) {
  index_names();
  if (by_name_.size() == tensors_.size()) return;
  std::unordered_map<std::string_view, uint32_t> wanted;
  for (size_t i = 0; i < index.names.size(); ++i) wanted.emplace(index.names[i], index.shard_of[i]);
  std::vector<bool> is_extra(tensors_.size(), false);
  for (size_t i = 0; i < tensors_.size(); ++i) {
    size_t& kept = by_name_.at(tensors_[i].name);
    if (kept == i) continue;
    const auto placed = wanted.find(tensors_[i].name);
    const bool replaces = placed != wanted.end() && placed->second == tensors_[i].file;
    const size_t extra = replaces ? std::exchange(kept, i) : i;
    is_extra[extra] = true;
    problems_.push_back({"duplicate", tensors_[i].name,
                         "in " + file_name(tensors_[extra].file) + " too",
                         "only in " + file_name(tensors_[kept].file)});
  }
  drop(is_extra);
  index_names();
}

void StoredCheckpoint::drop(const std::vector<bool>& is_dropped) {
  std::vector<TensorEntry> rest;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (!is_dropped[i]) rest.push_back(std::move(tensors_[i]));
  }
  tensors_ = std::move(rest);
}

void StoredCheckpoint::compare(const ShardIndex& index) {
  const IndexedTensors tensors{
      tensors_, [this](std::string_view name) { return find(name); },
      [&](const TensorEntry& entry) { return index.shards[entry.file].file; }};
  std::ranges::move(index_problems(index, tensors), std::back_inserter(problems_));
}

// The first of each name.
void StoredCheckpoint::index_names() {
  by_name_.clear();
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
