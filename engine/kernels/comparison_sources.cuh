// Where the values of a comparison come from, and how codes are counted: see compare.cu.

#pragma once

#include <cstdint>

#include "engine/kernels/codes4.cuh"
#include "engine/kernels/launch.cuh"

namespace qspec::cuda::comparison {

inline constexpr int kThreads = 256;
inline constexpr int kPer = 16;              // elements of a lane
inline constexpr int kHistogramCopies = 32;  // one a lane: lanes never wait for each other

// Byte values counted in shared memory, [256][copy].
struct ByteCounters {
  uint32_t* counts;

  __device__ void clear() const {
    for (int i = threadIdx.x; i < 256 * kHistogramCopies; i += kThreads) counts[i] = 0;
  }
  __device__ void add(uint32_t byte) const {
    atomicAdd(counts + byte * kHistogramCopies + threadIdx.x % kHistogramCopies, 1);
  }
  // By the whole block: afterwards the first copy has the sum of all.
  __device__ void fold() const {
    for (uint32_t byte = threadIdx.x; byte < 256; byte += kThreads) {
      uint32_t sum = 0;
      for (uint32_t copy = 0; copy < kHistogramCopies; ++copy) {
        sum += counts[byte * kHistogramCopies + (copy + byte) % kHistogramCopies];
      }
      counts[byte * kHistogramCopies] = sum;
    }
    __syncthreads();
  }
  __device__ uint32_t of_byte(uint32_t byte) const { return counts[byte * kHistogramCopies]; }
  // Of code `code`, in both places of a byte. After fold().
  __device__ uint32_t of_code(uint32_t code) const {
    uint32_t sum = 0;
    for (uint32_t other = 0; other < 16; ++other) {
      sum += of_byte(code << 4 | other) + of_byte(other << 4 | code);
    }
    return sum;
  }
};

// Where decoded values come from: 4-bit codes.
struct CodesSource {
  static constexpr bool kHasCodes = true;

  struct Loaded {
    uint2 words;
    float scale;
  };

  Codes4OnDevice codes;

  __device__ Loaded load(int64_t begin, int log2_block) const {
    return {__ldcs(reinterpret_cast<const uint2*>(codes.packed + begin / 2)),
            __ldg(codes.absmax + (begin >> log2_block))};
  }

  __device__ void decode(const Loaded& loaded, const float2* pairs, float (&q)[kPer]) const {
#pragma unroll
    for (int byte = 0; byte < kPer / 2; ++byte) {
      const float2 pair = pair_of(pairs, byte < 4 ? loaded.words.x : loaded.words.y, byte % 4);
      q[2 * byte] = __fmul_rn(pair.x, loaded.scale);
      q[2 * byte + 1] = __fmul_rn(pair.y, loaded.scale);
    }
  }

  __device__ void count(const Loaded& loaded, const ByteCounters& counters) const {
#pragma unroll
    for (int byte = 0; byte < kPer / 2; ++byte) {
      counters.add((byte < 4 ? loaded.words.x : loaded.words.y) >> 8 * (byte % 4) & 255);
    }
  }

  __device__ uint32_t code(int64_t i) const {
    const uint8_t byte = codes.packed[i / 2];
    return i % 2 == 0 ? byte >> 4 : byte & 15;
  }

  __device__ float value(int64_t i, int64_t block) const {
    return __fmul_rn(codes.codebook.value[code(i)], codes.absmax[block]);
  }
};

// Where they come from: they are there.
template <class T>
struct ValuesSource {
  static constexpr bool kHasCodes = false;

  using Loaded = Vector<T, kPer>;

  const T* values;

  __device__ Loaded load(int64_t begin, int) const {
    Loaded loaded;
    loaded.load(values + begin);
    return loaded;
  }

  __device__ void decode(const Loaded& loaded, const float2*, float (&q)[kPer]) const {
    loaded.to_floats(q);
  }

  __device__ float value(int64_t i, int64_t) const { return to_float(values[i]); }
};

}  // namespace qspec::cuda::comparison
