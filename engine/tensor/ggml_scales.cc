#include "engine/tensor/ggml_scales.h"

#include <algorithm>
#include <iterator>

#include "engine/core/error.h"
#include "engine/tensor/ggml_lanes.h"

namespace qspec {
namespace {

template <int kOffset>
int one_half(const uint8_t* block, float* scales) {
  scales[0] = half_at(block + kOffset);
  return 1;
}

template <int kOffset>
int two_halves(const uint8_t* block, float* scales) {
  scales[0] = half_at(block + kOffset);
  scales[1] = half_at(block + kOffset + 2);
  return 2;
}

int one_float(const uint8_t* block, float* scales) {
  scales[0] = float_of_bits(word32(block));
  return 1;
}

// The nibbles of one half are the highest of four words.
int spread_half(const uint8_t* block, float* scales) {
  uint32_t bits = 0;
  for (int i = 0; i < 4; ++i) bits |= (word16(block + 48 + 2 * i) >> 12) << 4 * i;
  scales[0] = float_of_half_bits(bits);
  return 1;
}

int one_exponent(const uint8_t* block, float* scales) {
  scales[0] = half_of_exponent(block[0]);
  return 1;
}

int four_e4m3(const uint8_t* block, float* scales) {
  for (int i = 0; i < 4; ++i) scales[i] = half_of_e4m3(block[i]);
  return 4;
}

struct Row {
  Dtype dtype;
  GgmlScales scales;
};

constexpr Row kRows[] = {
    {Dtype::kQ4_0, one_half<0>},   {Dtype::kQ4_1, two_halves<0>}, {Dtype::kQ5_0, one_half<0>},
    {Dtype::kQ5_1, two_halves<0>}, {Dtype::kQ8_0, one_half<0>},   {Dtype::kQ8_1, one_float},
    {Dtype::kQ2K, two_halves<80>}, {Dtype::kQ3K, one_half<108>},  {Dtype::kQ4K, two_halves<0>},
    {Dtype::kQ5K, two_halves<0>},  {Dtype::kQ6K, one_half<208>},  {Dtype::kQ8K, one_float},
    {Dtype::kIq2Xxs, one_half<0>}, {Dtype::kIq2Xs, one_half<0>},  {Dtype::kIq2S, one_half<0>},
    {Dtype::kIq3Xxs, one_half<0>}, {Dtype::kIq3S, one_half<0>},   {Dtype::kIq1S, one_half<0>},
    {Dtype::kIq1M, spread_half},   {Dtype::kIq4Nl, one_half<0>},  {Dtype::kIq4Xs, one_half<0>},
    {Dtype::kTq1_0, one_half<52>}, {Dtype::kTq2_0, one_half<64>}, {Dtype::kMxfp4, one_exponent},
    {Dtype::kNvfp4, four_e4m3},    {Dtype::kQ1_0, one_half<0>},
};

}  // namespace

GgmlScales ggml_scales(Dtype dtype) {
  const Row* row = std::find_if(std::begin(kRows), std::end(kRows),
                                [&](const Row& r) { return r.dtype == dtype; });
  if (row == std::end(kRows)) {
    throw Error(ErrorKind::kInternal,
                std::string(info(dtype).stored_name) + " is none of ggml's blocks");
  }
  return row->scales;
}

}  // namespace qspec
