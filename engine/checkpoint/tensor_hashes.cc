#include "engine/checkpoint/tensor_hashes.h"

#include <algorithm>

#include "engine/core/in_parallel.h"
#include "engine/core/sha256.h"

namespace qspec {
namespace {

constexpr uint64_t kPiece = 256u << 10;  // stays in a core's cache between reading and hashing

std::string hash_tensor(const Checkpoint& checkpoint, const TensorEntry& entry) {
  std::vector<std::byte> buffer(std::min(entry.bytes, kPiece));
  Sha256 hash;
  for (uint64_t begin = 0; begin < entry.bytes; begin += kPiece) {
    const std::span piece(buffer.data(), std::min(kPiece, entry.bytes - begin));
    checkpoint.read(entry, begin, piece);
    hash.update(piece);
  }
  return hash.hex();
}

}  // namespace

std::vector<std::string> hash_tensors(const Checkpoint& checkpoint,
                                      std::span<const TensorEntry* const> entries) {
  std::vector<std::string> hashes(entries.size());
  in_parallel(
      entries.size(), [&](size_t i) { hashes[i] = hash_tensor(checkpoint, *entries[i]); }, 1);
  return hashes;
}

}  // namespace qspec
