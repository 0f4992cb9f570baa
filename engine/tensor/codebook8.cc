#include "engine/tensor/codebook8.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <string>

#include "engine/core/error.h"
#include "engine/tensor/blockwise8.h"
#include "engine/tensor/parts.h"

namespace qspec {
namespace {

int64_t block_count(int64_t count, int64_t block_size) {
  if (block_size < 1) {
    throw Error(ErrorKind::kCheckpoint,
                "block size is " + std::to_string(block_size) + ", wanted at least 1");
  }
  return ceil_div(count, block_size);
}

}  // namespace

at::Tensor dynamic_codebook_tensor() {
  const auto values = dynamic_codebook();
  at::Tensor result = at::empty({256}, at::kFloat);
  std::copy(values.begin(), values.end(), result.mutable_data_ptr<float>());
  return result;
}

at::Tensor dequantize_codebook8(const at::Tensor& codes, const at::Tensor& codebook,
                                const at::Tensor& absmax, int64_t block_size) {
  const int64_t count = codes.numel();
  const at::Tensor flat = checked_part(codes, "codes", at::kByte, count);
  const at::Tensor values = checked_part(codebook, "codebook", at::kFloat, 256);
  const at::Tensor scales =
      checked_part(absmax, "absmax", at::kFloat, block_count(count, block_size));
  at::Tensor result = at::empty(codes.sizes(), at::kFloat);
  decode8(flat.const_data_ptr<uint8_t>(), static_cast<size_t>(count),
          values.const_data_ptr<float>(), scales.const_data_ptr<float>(),
          static_cast<size_t>(block_size), result.mutable_data_ptr<float>());
  return result;
}

Quantized8 quantize_codebook8(const at::Tensor& values, const at::Tensor& codebook,
                              int64_t block_size) {
  const at::Tensor book = checked_part(codebook, "codebook", at::kFloat, 256);
  const at::Tensor flat = values.to(at::kFloat).contiguous();
  Quantized8 result{at::empty(values.sizes(), at::kByte),
                    at::empty({block_count(values.numel(), block_size)}, at::kFloat)};
  encode8(flat.const_data_ptr<float>(), static_cast<size_t>(flat.numel()),
          book.const_data_ptr<float>(), static_cast<size_t>(block_size),
          result.codes.mutable_data_ptr<uint8_t>(), result.absmax.mutable_data_ptr<float>());
  return result;
}

}  // namespace qspec
