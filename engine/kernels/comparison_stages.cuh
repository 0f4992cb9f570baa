// Values of a comparison on their way through shared memory, a warp's at a time: copies of whole
// lines, that wait in no registers.

#pragma once

#include <cstdint>

#include "engine/kernels/async_copy.cuh"
#include "engine/kernels/codes4.cuh"
#include "engine/kernels/launch.cuh"

namespace qspec::cuda::comparison {

// kPer neighbouring elements for each lane. Pieces of 16 bytes change places, so that neither their
// copies nor the lanes, which read their own one by one, want a bank twice.
template <class T, int kPer>
class StagedValues {
 public:
  static constexpr int kElements = 16 / sizeof(T);  // of a piece

  // Begins to copy those pieces that `count` elements fill. `from` is the lane's: kElements for
  // each lane before it behind the first.
  __device__ void load(const T* from, int count) {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int i = 0; i < kPieces; ++i) {
      const bool is_there = (i * 32 + lane + 1) * kElements <= count;
      if (is_there) copy<16>(pieces_ + place_of(i, lane), from + i * 32 * kElements);
    }
  }

  // The same where all are there.
  __device__ void load_all(const T* from) {
    const int lane = threadIdx.x % 32;
    const uint32_t to = shared_address(pieces_);
#pragma unroll
    for (int i = 0; i < kPieces; ++i) {
      copy_to<16>(to + 16 * place_of(i, lane), from + i * 32 * kElements);
    }
  }

  __device__ void read_own(Vector<T, kPer>& to) const {
    const int first = static_cast<int>(threadIdx.x % 32) * kPieces;
#pragma unroll
    for (int i = 0; i < kPieces; ++i) {
      to.words[i] = pieces_[place_of((first + i) / 32, (first + i) % 32)];
    }
  }

 private:
  static constexpr int kPieces = kPer * static_cast<int>(sizeof(T)) / 16;
  static_assert(kPieces == 2 || kPieces == 4 || kPieces == 8);

  // Of piece 32 * i + j.
  __device__ static int place_of(int i, int j) {
    return 32 * i + (j ^ (j / 8 + 4 * i) % kPieces);
  }

  uint4 pieces_[32 * kPieces];
};

// Bytes of codes: what each stands for, and how often it came. Both are tables with 128 bytes for
// each value of a byte, in which lanes have their own: looking up waits for half a warp, counting
// for nobody.
struct ByteTables {
  const unsigned char* pairs;  // [256][16] of float2
  unsigned char* counts;       // [256][32] of uint32_t
  uint32_t own_pair, own_count;

  static constexpr size_t kBytes = 256 * 128;

  __device__ ByteTables(unsigned char* pairs, unsigned char* counts)
      : pairs(pairs),
        counts(counts),
        own_pair(threadIdx.x % 16 * sizeof(float2)),
        own_count(threadIdx.x % 32 * sizeof(uint32_t)) {}

  // Where the entry of byte `byte` of `word` begins.
  __device__ static uint32_t entry_of(uint32_t word, int byte) {
    return (byte == 0 ? word << 7 : word >> (8 * byte - 7)) & 0x7f80;
  }

  __device__ float2 pair(uint32_t entry) const {
    return *reinterpret_cast<const float2*>(pairs + (entry | own_pair));
  }
  __device__ void count(uint32_t entry) const {
    atomicAdd(reinterpret_cast<uint32_t*>(counts + (entry | own_count)), 1);
  }

  __device__ void fill(const Codebook16& codebook) const {
    auto* to = reinterpret_cast<float2*>(const_cast<unsigned char*>(pairs));
    for (int i = threadIdx.x; i < 256 * 16; i += blockDim.x) {
      to[i] = make_float2(codebook.value[i / 256], codebook.value[i / 16 % 16]);
    }
  }
  __device__ void clear() const {
    auto* to = reinterpret_cast<uint4*>(counts);
    for (int i = threadIdx.x; i < static_cast<int>(kBytes / 16); i += blockDim.x) {
      to[i] = make_uint4(0, 0, 0, 0);
    }
  }
  // By the whole block: afterwards the first count of a byte is the sum of all.
  __device__ void fold() const {
    auto* all = reinterpret_cast<uint32_t*>(counts);
    for (uint32_t byte = threadIdx.x; byte < 256; byte += blockDim.x) {
      uint32_t sum = 0;
      for (uint32_t copy = 0; copy < 32; ++copy) sum += all[byte * 32 + (copy + byte) % 32];
      all[byte * 32] = sum;
    }
    __syncthreads();
  }
  // Of code `code`, in both places of a byte. After fold().
  __device__ uint32_t of_code(uint32_t code) const {
    const auto* all = reinterpret_cast<const uint32_t*>(counts);
    uint32_t sum = 0;
    for (uint32_t other = 0; other < 16; ++other) {
      sum += all[(code << 4 | other) * 32] + all[(other << 4 | code) * 32];
    }
    return sum;
  }
};

}  // namespace qspec::cuda::comparison
