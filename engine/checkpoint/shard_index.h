#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qspec {

inline constexpr uint64_t kMaxIndexBytes = 256u << 20;
inline constexpr size_t kMaxShards = 100'000;

// model.safetensors.index.json, or that of another container: which shard holds which tensor.
struct ShardIndex {
  struct Shard {
    std::string file;          // within the model folder, by a name that stays in it
    std::string first_tensor;  // the first that the index places there
  };

  std::vector<Shard> shards;           // in the order of first mention
  std::vector<std::string> names;      // of tensors, in the order of the file; none twice
  std::vector<uint32_t> shard_of;      // of each of the names, its place in `shards`
  std::optional<uint64_t> total_size;  // of all tensors, in bytes
  std::string odd_total_size;          // how it is written when it is not a whole number, else ""
};

// Throws Error(kCheckpoint) for what is not an index, and for a shard whose name leads out of the
// model folder or does not end in `ending`.
ShardIndex parse_shard_index(std::string_view text, std::string_view file,
                             std::string_view ending = ".safetensors");

}  // namespace qspec
