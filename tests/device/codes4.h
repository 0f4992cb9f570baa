#pragma once

#include <vector>

#include "engine/kernels/dequantize4.h"
#include "engine/tensor/kernels.h"
#include "tests/device/harness.h"

namespace qspec::device_test {

// The rules and codebooks of bitsandbytes.
CodeRule nf4_rule();
CodeRule fp4_rule();
inline constexpr cuda::Codebook16 kNf4 = {
    {-1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
     -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
     0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
     0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f}};
inline constexpr cuda::Codebook16 kFp4 = {
    {0.0f, 0.005208333333333333f, 0.6666666666666666f, 1.0f, 0.3333333333333333f, 0.5f,
     0.16666666666666666f, 0.25f, -0.0f, -0.005208333333333333f, -0.6666666666666666f, -1.0f,
     -0.3333333333333333f, -0.5f, -0.16666666666666666f, -0.25f}};

// A weight of 4-bit codes on both sides.
struct Codes4 {
  Codes4(size_t count, size_t block_size, uint32_t seed);

  std::vector<float> decoded() const;
  cuda::Codes4OnDevice on_device() const;

  size_t count;
  size_t block_size;
  cuda::Codebook16 codebook = kNf4;
  std::vector<uint8_t> packed;
  std::vector<float> absmax;
  DeviceArray<uint8_t> device_packed;
  DeviceArray<float> device_absmax;
};

}  // namespace qspec::device_test
