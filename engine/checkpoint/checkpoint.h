#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/checkpoint/metadata.h"
#include "engine/core/byte_source.h"
#include "engine/core/dtype.h"

namespace qspec {

struct TensorEntry {
  std::string name;
  Dtype dtype{};
  std::vector<uint64_t> shape;  // row-major; empty for a scalar
  uint64_t bytes = 0;
  uint64_t offset = 0;  // of the first byte within its file
  uint32_t file = 0;    // index into Checkpoint::files(); kInMemory for an overlay's own tensor
};

inline constexpr uint32_t kInMemory = UINT32_MAX;

struct CheckpointFile {
  std::string path;
  uint64_t size = 0;
  uint64_t header_bytes = 0;  // everything that is not tensor data
  std::map<std::string, std::string> metadata;
  std::vector<MetadataEntry> values;  // metadata with types, in the order of the file (GGUF)
};

// A contradiction between files that leaves the rest readable. The stdlib turns it into a finding.
struct CheckpointProblem {
  // Of a tensor: "ghost", in the index but in no shard; "unlisted", in a shard but not in the
  // index; "misplaced", in another shard than the index says; "duplicate", in two shards (the one
  // that the index means is read); "no_tensor", a value of another kind; "unused", stored bytes
  // that nothing refers to. Of the whole: "total_size", wrong sum in the index; "ignored", an index
  // beside the single file that is read; "misnamed", one file, not model.safetensors.
  std::string kind;
  std::string key;  // tensor name, or "" for the whole
  std::string found;
  std::string wanted;
};

// The tensors of one model, wherever they are stored. Immutable after construction and safe to
// read from several threads.
class Checkpoint {
 public:
  virtual ~Checkpoint() = default;

  // A folder with model.safetensors or model.safetensors.index.json and its shards, or with
  // pytorch_model.bin or its index and shards; or with one model in GGUF files; or one such file.
  // Reads headers only. Throws Error(kCheckpoint | kUnsupported | kIo).
  static std::shared_ptr<Checkpoint> open(const std::string& path);

  virtual const std::string& path() const = 0;
  virtual const std::vector<CheckpointFile>& files() const = 0;
  // Sorted by file, then by offset: reading in this order is sequential.
  virtual const std::vector<TensorEntry>& tensors() const = 0;
  virtual const std::vector<CheckpointProblem>& problems() const = 0;

  // nullptr when there is no tensor of that name.
  virtual const TensorEntry* find(std::string_view name) const = 0;

  // Copies out.size() bytes of `entry`, starting `begin` bytes into it. Throws Error(kIo).
  virtual void read(const TensorEntry& entry, uint64_t begin, std::span<std::byte> out) const = 0;

  // What holds the bytes of `entry` where that is no file: whoever knows its type can have them
  // without a copy. Null otherwise.
  virtual std::shared_ptr<const ByteSource> held(const TensorEntry& entry) const {
    (void)entry;
    return nullptr;
  }
};

// A checkpoint with some tensors replaced, added or taken away in memory, its files untouched.
// Not safe to change while another thread reads.
class Overlay : public Checkpoint {
 public:
  static std::shared_ptr<Overlay> over(std::shared_ptr<const Checkpoint> base);
  virtual void put(std::string name, Dtype dtype, std::vector<uint64_t> shape,
                   std::vector<std::byte> data) = 0;
  // The same without a copy: `data` is read when it is asked for.
  virtual void put(std::string name, Dtype dtype, std::vector<uint64_t> shape,
                   std::shared_ptr<const ByteSource> data) = 0;
  virtual void drop(std::string_view name) = 0;
  // As if the tensor lay in that file of the folder; matters to the index only.
  virtual void place(std::string name, std::string file) = 0;
  // Problems are those of this index from now on, each tensor where it is placed, or else where it
  // is stored. Throws Error(kCheckpoint) for what is no index.
  virtual void set_index(std::string_view text) = 0;
  // Gives a key of the files' metadata another value; nullopt takes the key away. Throws
  // Error(kSpec) for a key that is not there.
  virtual void set_metadata(std::string_view key, std::optional<MetadataValue> value) = 0;
};

}  // namespace qspec
