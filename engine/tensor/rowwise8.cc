#include "engine/tensor/rowwise8.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "engine/core/error.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/on_gpu.h"
#include "engine/tensor/parallel.h"
#include "engine/tensor/parts.h"
#include "engine/tensor/sizes.h"

namespace qspec {
namespace {

constexpr int64_t kGrain = 1 << 16;

int8_t code_of(float w, float scale) {
  constexpr float kRound = 0x1.8p23f;  // adding it leaves no bits behind the point
  const float scaled = w * scale;
  return std::fabs(scaled) < 127.5f ? static_cast<int8_t>(scaled + kRound - kRound) : int8_t{0};
}

// Calls body(row) for every row, on all threads.
void for_rows(const at::Tensor& matrix, const std::function<void(int64_t row)>& body) {
  const int64_t rows_at_once = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, matrix.size(1)));
  parallel_ranges(matrix.size(0), rows_at_once, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) body(row);
  });
}

}  // namespace

Rowwise8 checked(Rowwise8 weight) {
  if (weight.codes.scalar_type() != at::kChar || weight.codes.dim() != 2) {
    throw Error(ErrorKind::kCheckpoint,
                std::string("codes are ") + at::toString(weight.codes.scalar_type()) + " with " +
                    std::to_string(weight.codes.dim()) + " dimensions, wanted int8 with 2");
  }
  return {weight.codes.contiguous(),
          checked_part(weight.absmax, "absmax", at::kFloat, weight.codes.size(0))};
}

Rowwise8 quantize_rowwise_int8(const at::Tensor& weight) {
  if (weight.dim() != 2) {
    throw Error(ErrorKind::kSpec, "a tensor of " + std::to_string(weight.dim()) +
                                      " dimensions has no rows to quantize, wanted 2");
  }
  if (auto result = quantize8_on_gpu(weight)) return *std::move(result);
  const at::Tensor halves = weight.to(at::kHalf).contiguous();
  const int64_t columns = weight.size(1);
  Rowwise8 result{empty_tensor(weight.sizes(), at::kChar),
                  empty_tensor({weight.size(0)}, at::kFloat)};
  const FloatSource source = float_source(halves);
  auto* codes = result.codes.mutable_data_ptr<int8_t>();
  auto* absmax = result.absmax.mutable_data_ptr<float>();
  for_rows(weight, [&](int64_t row) {
    std::array<float, kStretch> buffer;
    const auto for_stretches = [&](auto body) {
      for (int64_t i = row * columns, end = i + columns; i < end; i += kStretch) {
        const int64_t count = std::min(kStretch, end - i);
        body(source(i, count, buffer.data()), count, i);
      }
    };
    float largest = 0;
    for_stretches([&](const float* values, int64_t count, int64_t) {
      largest = std::max(largest, kernels().absmax(values, static_cast<size_t>(count)));
    });
    absmax[row] = largest;
    // Not 127 / largest: bitsandbytes' GPU multiplies by the reciprocal, and ties depend on it.
    const float scale = 127 * (1 / largest);
    for_stretches([&](const float* values, int64_t count, int64_t begin) {
      for (int64_t k = 0; k < count; ++k) codes[begin + k] = code_of(values[k], scale);
    });
  });
  return result;
}

FloatSource float_source(const Rowwise8& weight) {
  const int64_t columns = std::max<int64_t>(1, weight.codes.size(1));
  return [weight, columns](int64_t begin, int64_t count, float* buffer) {
    const auto* codes = weight.codes.const_data_ptr<int8_t>() + begin;
    const auto* absmax = weight.absmax.const_data_ptr<float>();
    int64_t row = begin / columns, left = columns - begin % columns;
    for (int64_t i = 0; i < count; ++row, left = columns) {
      const int64_t end = std::min(count, i + left);
      const float scale = absmax[row];
      for (; i < end; ++i) {
        buffer[i] = static_cast<float>(codes[i]) * scale * (1.0f / 127);
      }
    }
    return static_cast<const float*>(buffer);
  };
}

at::Tensor dequantize(const Rowwise8& weight, at::ScalarType dtype) {
  return materialize(float_source(weight), weight.codes.sizes(), dtype, 1);
}

}  // namespace qspec
