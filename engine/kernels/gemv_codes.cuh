// Codes of a packed weight as operands of tensor cores: two neighbouring elements in a register.

#pragma once

#include <cuda_fp16.h>

#include <cstdint>

#include "engine/kernels/gemv_job.cuh"

namespace qspec::cuda::gemv {

// 4 bits. A byte is two elements: one look into a table unpacks and decodes it. There is a table
// for each lane, so that no two lanes want the same bank.
struct Nibbles {
  static constexpr int kBits = 4;
  static constexpr size_t kTableBytes = 256 * 32 * sizeof(uint32_t);

  const unsigned char* table;  // [byte][lane]
  uint32_t own;

  __device__ static float factor() { return 1; }

  __device__ explicit Nibbles(const unsigned char* table)
      : table(table), own(threadIdx.x % 32 * 4) {}

  __device__ static void fill(const Job& job, unsigned char* table) {
    for (int i = threadIdx.x; i < static_cast<int>(kTableBytes / 16); i += blockDim.x) {
      const float high = job.codebook.value[i / 8 >> 4], low = job.codebook.value[i / 8 & 15];
      const __half2 both =
          job.low_nibble_first ? __floats2half2_rn(low, high) : __floats2half2_rn(high, low);
      const uint32_t pair = *reinterpret_cast<const uint32_t*>(&both);
      reinterpret_cast<uint4*>(table)[i] = make_uint4(pair, pair, pair, pair);
    }
  }

  // Elements 4 * step to 4 * step + 3 of the lane's 8.
  __device__ void decode(const uint32_t (&words)[1], int step, uint32_t& low,
                         uint32_t& high) const {
    low = pair(words[0], 2 * step);
    high = pair(words[0], 2 * step + 1);
  }

 private:
  __device__ uint32_t pair(uint32_t word, int byte) const {
    const uint32_t entry = byte == 0 ? word << 7 : word >> (8 * byte - 7);
    return *reinterpret_cast<const uint32_t*>(table + ((entry & 0x7f80) | own));
  }
};

// Whole numbers of 8 bits. The byte of code + 128 below that of 1024 is a float16 of both.
struct Signed8 {
  static constexpr int kBits = 8;
  static constexpr size_t kTableBytes = 0;

  __device__ static float factor() { return 1; }

  __device__ explicit Signed8(const unsigned char*) {}
  __device__ static void fill(const Job&, unsigned char*) {}

  __device__ void decode(const uint32_t (&words)[2], int step, uint32_t& low,
                         uint32_t& high) const {
    const uint32_t shifted = words[step] ^ 0x80808080;
    low = centred(__byte_perm(shifted, 0x64646464, 0x4140));
    high = centred(__byte_perm(shifted, 0x64646464, 0x4342));
  }

 private:
  __device__ static uint32_t centred(uint32_t pair) {
    const __half2 both = __hsub2(*reinterpret_cast<const __half2*>(&pair),
                                 __half2half2(__ushort_as_half(0x6480)));  // 1024 + 128
    return *reinterpret_cast<const uint32_t*>(&both);
  }
};

// float8_e4m3fn.
struct E4m3 {
  static constexpr int kBits = 8;
  static constexpr size_t kTableBytes = 0;

  __device__ explicit E4m3(const unsigned char*) {}
  __device__ static void fill(const Job&, unsigned char*) {}

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 890
  __device__ static float factor() {
    return 1;
  }

  __device__ void decode(const uint32_t (&words)[2], int step, uint32_t& low,
                         uint32_t& high) const {
    low = converted(words[step]);
    high = converted(words[step] >> 16);
  }

 private:
  __device__ static uint32_t converted(uint32_t word) {
    uint32_t pair;
    asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(pair) : "h"(static_cast<uint16_t>(word)));
    return pair;
  }
#else
  // Exponent and fraction, moved to those of a float16, stand for the value times 2^-8, subnormal
  // numbers included.
  __device__ static float factor() {
    return 256;
  }

  __device__ void decode(const uint32_t (&words)[2], int step, uint32_t& low,
                         uint32_t& high) const {
    const uint32_t word = words[step];
    const uint32_t nan = __vcmpeq4(word & 0x7f7f7f7f, 0x7f7f7f7f);
    low = moved(__byte_perm(word, 0, 0x1404), __byte_perm(nan, 0, 0x1404));
    high = moved(__byte_perm(word, 0, 0x3424), __byte_perm(nan, 0, 0x3424));
  }

 private:
  // Bytes in the upper halves of two halves.
  __device__ static uint32_t moved(uint32_t bytes, uint32_t nan) {
    return (bytes & 0x80008000) | (bytes >> 1 & 0x3f803f80) | (nan & 0x7c007c00);
  }
#endif
};

}  // namespace qspec::cuda::gemv
