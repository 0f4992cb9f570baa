#pragma once

#include "engine/kernels/dequantize4.h"
#include "engine/kernels/device.h"

namespace qspec::cuda {

// The sums of a Comparison (engine/tensor/compare.h), and what the same pass sees of the codes.
struct ComparisonSums {
  int64_t nonfinite_decoded;
  int64_t nonfinite_baseline;
  double baseline_squares;
  double error_squares;
  double cross;
  double max_abs_error;
  int64_t max_error_index;  // -1: all equal
  int64_t worst_block;      // -1: all equal
  double worst_error_squares;
  double worst_baseline_squares;
  int64_t zero_scales;
  int64_t nonfinite_scales;
  int64_t histogram[16];  // of the codes; the padding of an odd count apart
};

// Bytes of device memory that a comparison works in. They need no clearing.
size_t compare_workspace_bytes();

// The twin of compare(float_source(Codebook4), baseline, count, block_size), with the blocks of the
// codes. Products are summed in fp32 over 16 elements, then in double, in an order that depends on
// `count` alone: sums differ from the CPU's by a relative 1e-6 at most, counts not at all, and the
// largest error and the worst block only where two are equal but for that. Elements whose squares
// leave fp32's range, or are tiny, are taken one by one in double, and those that are not finite
// are counted and left out. Any block size; powers of two from 32 to 1024 are quick, from 16 to 512
// where a baseline or values are fp32.
void compare4(const Codes4OnDevice& codes, const void* baseline, Element element, void* workspace,
              ComparisonSums* result, Stream stream);

// The same of `decoded` values, which are `decoded_element`s, in blocks of `block_size`. Nothing is
// said of scales and codes: zeros.
void compare_values(const void* decoded, Element decoded_element, const void* baseline,
                    Element element, int64_t count, int64_t block_size, void* workspace,
                    ComparisonSums* result, Stream stream);

}  // namespace qspec::cuda
