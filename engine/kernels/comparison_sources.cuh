// Where the values of a comparison come from: see compare.cu.

#pragma once

#include <cstdint>

#include "engine/kernels/comparison_stages.cuh"

namespace qspec::cuda::comparison {

// 4-bit codes.
struct CodesSource {
  static constexpr bool kHasCodes = true;
  static constexpr int kBytes = 1;  // of a value, more or less

  template <int kPer>
  struct Stage {
    uint4 codes[kPer];  // 16 bytes of codes are 32 elements
    float scales[32];
  };

  Codes4OnDevice codes;

  // Where a lane's next codes and scale are.
  template <int kPer>
  struct Reader {
    const uint8_t* packed;
    const float* absmax;
    int scales;  // of a step

    __device__ Reader(const CodesSource& source, int64_t begin, int64_t step, int log2_block)
        : packed(source.codes.packed + (begin + threadIdx.x % 32 * kPer) / 2),
          absmax(source.codes.absmax + ((begin + threadIdx.x % 32 * kPer) >> log2_block)),
          scales(static_cast<int>(step >> log2_block)) {}

    __device__ void advance(int64_t step) {
      packed += step / 2;
      absmax += scales;
    }
    __device__ void load_all(Stage<kPer>& stage) const {
      const int lane = threadIdx.x % 32;
      const uint32_t to = shared_address(&stage);
      copy_to<kPer / 2>(to + lane * (kPer / 2), packed);
      copy_to<4>(to + sizeof(stage.codes) + 4 * lane, absmax);
    }
    // Of lanes whose kPer elements are among `count`.
    __device__ void load(int count, Stage<kPer>& stage) const {
      if ((static_cast<int>(threadIdx.x % 32) + 1) * kPer <= count) load_all(stage);
    }
  };

  template <int kPer>
  __device__ static float scale(const Stage<kPer>& stage) {
    return stage.scales[threadIdx.x % 32];
  }

  // The lane's values; its codes are counted.
  template <int kPer>
  __device__ static void decode(const Stage<kPer>& stage, const ByteTables& tables,
                                float (&q)[kPer]) {
    const auto* words =
        reinterpret_cast<const uint32_t*>(stage.codes) + threadIdx.x % 32 * (kPer / 8);
    const float scale = CodesSource::scale(stage);
    uint32_t mine[kPer / 8];
#pragma unroll
    for (int i = 0; i < kPer / 8; ++i) mine[i] = words[i];
#pragma unroll
    for (int byte = 0; byte < kPer / 2; ++byte) {
      const uint32_t entry = ByteTables::entry_of(mine[byte / 4], byte % 4);
      const float2 pair = tables.pair(entry);
      tables.count(entry);
      q[2 * byte] = __fmul_rn(pair.x, scale);
      q[2 * byte + 1] = __fmul_rn(pair.y, scale);
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

// They are there.
template <class T>
struct ValuesSource {
  static constexpr bool kHasCodes = false;
  static constexpr int kBytes = sizeof(T);

  template <int kPer>
  using Stage = StagedValues<T, kPer>;

  const T* values;

  template <int kPer>
  struct Reader {
    const T* values;

    __device__ Reader(const ValuesSource& source, int64_t begin, int64_t, int)
        : values(source.values + begin + threadIdx.x % 32 * Stage<kPer>::kElements) {}

    __device__ void advance(int64_t step) { values += step; }
    __device__ void load_all(Stage<kPer>& stage) const { stage.load_all(values); }
    __device__ void load(int count, Stage<kPer>& stage) const { stage.load(values, count); }
  };

  template <int kPer>
  __device__ static void decode(const Stage<kPer>& stage, const ByteTables&, float (&q)[kPer]) {
    Vector<T, kPer> own;
    stage.read_own(own);
    own.to_floats(q);
  }

  __device__ float value(int64_t i, int64_t) const { return to_float(values[i]); }
};

}  // namespace qspec::cuda::comparison
