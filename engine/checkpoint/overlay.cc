#include <algorithm>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "engine/checkpoint/checkpoint.h"
#include "engine/checkpoint/index_problems.h"
#include "engine/checkpoint/shard_index.h"
#include "engine/checkpoint/tensor_size.h"
#include "engine/core/error.h"

namespace qspec {
namespace {

class Bytes final : public ByteSource {
 public:
  explicit Bytes(std::vector<std::byte> data) : data_(std::move(data)) {}

  const std::string& path() const override {
    static const std::string kPath = "memory";
    return kPath;
  }
  uint64_t size() const override { return data_.size(); }
  void read_at(uint64_t offset, std::span<std::byte> out) const override {
    std::memcpy(out.data(), data_.data() + offset, out.size());
  }

 private:
  std::vector<std::byte> data_;
};

class MemoryOverlay final : public Overlay {
 public:
  explicit MemoryOverlay(std::shared_ptr<const Checkpoint> base) : base_(std::move(base)) {}

  const std::string& path() const override { return base_->path(); }
  // As large as they would be with the tensors that are here.
  const std::vector<CheckpointFile>& files() const override {
    tensors();
    return files_;
  }

  const std::vector<CheckpointProblem>& problems() const override {
    if (!index_) return base_->problems();
    std::unordered_map<std::string_view, const TensorEntry*> by_name;
    for (const TensorEntry& entry : tensors()) by_name.emplace(entry.name, &entry);
    const IndexedTensors all{tensors(),
                             [&](std::string_view name) {
                               const auto found = by_name.find(name);
                               return found == by_name.end() ? nullptr : found->second;
                             },
                             [this](const TensorEntry& entry) { return file_of(entry); }};
    problems_ = index_problems(*index_, all);
    return problems_;
  }

  const std::vector<TensorEntry>& tensors() const override {
    const std::lock_guard lock(listing_);
    if (!is_listed_) list();
    return listed_;
  }

  const TensorEntry* find(std::string_view name) const override {
    const std::string key(name);
    if (const auto own = own_.find(key); own != own_.end()) return &own->second.entry;
    return hidden_.contains(key) ? nullptr : base_->find(name);
  }

  void read(const TensorEntry& entry, uint64_t begin, std::span<std::byte> out) const override {
    const auto own = entry.file == kInMemory ? own_.find(entry.name) : own_.end();
    if (own == own_.end()) return base_->read(entry, begin, out);
    const ByteSource& data = *own->second.data;
    if (begin > data.size() || out.size() > data.size() - begin) {
      throw Error(ErrorKind::kInternal, "read of " + std::to_string(out.size()) +
                                            " bytes at byte " + std::to_string(begin) +
                                            " of tensor '" + printable(entry.name) +
                                            "', which has " + std::to_string(data.size()));
    }
    if (!out.empty()) data.read_at(begin, out);
  }

  std::shared_ptr<const ByteSource> held(const TensorEntry& entry) const override {
    const auto own = entry.file == kInMemory ? own_.find(entry.name) : own_.end();
    return own == own_.end() ? base_->held(entry) : own->second.data;
  }

  void put(std::string name, Dtype dtype, std::vector<uint64_t> shape,
           std::vector<std::byte> data) override {
    put(std::move(name), dtype, std::move(shape), std::make_shared<const Bytes>(std::move(data)));
  }

  void put(std::string name, Dtype dtype, std::vector<uint64_t> shape,
           std::shared_ptr<const ByteSource> data) override {
    const uint64_t bytes = stored_bytes(name, dtype, shape);
    if (bytes != data->size()) {
      throw Error(ErrorKind::kSpec,
                  "tensor '" + printable(name) + "' is given " + std::to_string(data->size()) +
                      " bytes, its dtype and shape need " + std::to_string(bytes));
    }
    hidden_.insert(name);
    is_listed_ = false;
    Own tensor{{name, dtype, std::move(shape), bytes, 0, kInMemory}, std::move(data)};
    own_.insert_or_assign(std::move(name), std::move(tensor));
  }

  void drop(std::string_view name) override {
    hidden_.emplace(name);
    own_.erase(std::string(name));
    is_listed_ = false;
  }

  void place(std::string name, std::string file) override {
    placed_.insert_or_assign(std::move(name), std::move(file));
  }

  void set_index(std::string_view text) override {
    index_ = parse_shard_index(text, base_->path());
  }

  void set_metadata(std::string_view key, std::optional<MetadataValue> value) override {
    const auto has_key = [&](const CheckpointFile& file) {
      return find_metadata(file.values, key) != nullptr;
    };
    if (std::none_of(files().begin(), files().end(), has_key)) {
      throw Error(ErrorKind::kSpec, "there is no metadata '" + printable(key) + "'");
    }
    metadata_.insert_or_assign(std::string(key), std::move(value));
    is_listed_ = false;
  }

 private:
  struct Own {
    TensorEntry entry;
    std::shared_ptr<const ByteSource> data;
  };

  // Made when it is asked for: a list kept up to date would cost each of n changes n moves.
  void list() const {
    listed_.clear();
    for (const TensorEntry& entry : base_->tensors()) {
      if (!hidden_.contains(entry.name)) listed_.push_back(entry);
    }
    const size_t from_base = listed_.size();
    for (const auto& [name, own] : own_) listed_.push_back(own.entry);
    std::sort(listed_.begin() + static_cast<std::ptrdiff_t>(from_base), listed_.end(),
              [](const TensorEntry& a, const TensorEntry& b) { return a.name < b.name; });
    is_listed_ = true;
    measure_files();
  }

  void measure_files() const {
    files_ = base_->files();
    const auto file_with = [&](const TensorEntry* entry) -> CheckpointFile& {
      return files_[entry != nullptr && entry->file != kInMemory ? entry->file : 0];
    };
    for (const TensorEntry& entry : base_->tensors()) {
      if (hidden_.contains(entry.name)) file_with(&entry).size -= entry.bytes;
    }
    for (const auto& [name, own] : own_) file_with(base_->find(name)).size += own.entry.bytes;
    for (CheckpointFile& file : files_) change_metadata(file.values);
  }

  void change_metadata(std::vector<MetadataEntry>& values) const {
    std::erase_if(values, [&](const MetadataEntry& entry) {
      const auto changed = metadata_.find(entry.key);
      return changed != metadata_.end() && !changed->second;
    });
    for (MetadataEntry& entry : values) {
      const auto changed = metadata_.find(entry.key);
      if (changed != metadata_.end()) entry.value = *changed->second;
    }
  }

  std::string file_of(const TensorEntry& entry) const {
    if (const auto placed = placed_.find(entry.name); placed != placed_.end()) {
      return placed->second;
    }
    if (entry.file == kInMemory) return "no file";
    return std::filesystem::path(base_->files()[entry.file].path).filename().string();
  }

  std::shared_ptr<const Checkpoint> base_;
  std::optional<ShardIndex> index_;                      // in place of the files' own
  std::unordered_map<std::string, std::string> placed_;  // tensors in another file than their own
  mutable std::vector<CheckpointProblem> problems_;
  std::unordered_map<std::string, std::optional<MetadataValue>> metadata_;  // by key
  std::unordered_map<std::string, Own> own_;
  std::unordered_set<std::string> hidden_;  // names that the base's tensors no longer answer to
  mutable std::mutex listing_;
  mutable std::vector<TensorEntry> listed_;
  mutable std::vector<CheckpointFile> files_;
  mutable bool is_listed_ = false;
};

}  // namespace

std::shared_ptr<Overlay> Overlay::over(std::shared_ptr<const Checkpoint> base) {
  return std::make_shared<MemoryOverlay>(std::move(base));
}

}  // namespace qspec
