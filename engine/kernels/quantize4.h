#pragma once

#include "engine/kernels/device.h"
#include "engine/tensor/kernels.h"

namespace qspec::cuda {

// How 1 / absmax is computed. bitsandbytes' GPU kernels are built with --use_fast_math and so take
// the approximation, a last place away from the rounded one now and then; its CPU path and ours
// round.
enum class Reciprocal { kRounded, kApproximate };

struct Quantize4 {
  const void* weight;  // [count]
  Element element;
  int64_t count;
  int64_t block_size;  // even, at least 2; 32, 64, 128 and 256 are quick
  CodeRule rule;
  Reciprocal reciprocal = Reciprocal::kRounded;
  uint8_t* packed;  // [ceil(count / 2)]; an odd last element is followed by the code of 0
  float* absmax;    // [ceil(count / block_size)]
};

// The twin of quantize_codebook4 (engine/tensor/codebook4.h): the same codes and absmax, bit for
// bit. Pointers may have any alignment that their elements allow; the quick way wants 16 bytes.
void quantize4(const Quantize4& job, Stream stream);

}  // namespace qspec::cuda
