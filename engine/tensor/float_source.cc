#include "engine/tensor/float_source.h"

#include <algorithm>
#include <array>
#include <string>

#include "engine/core/error.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/parallel.h"
#include "engine/tensor/sizes.h"

namespace qspec {
namespace {

using Widen = void (*)(const uint16_t*, size_t, float*);
using Narrow = void (*)(const float*, size_t, uint16_t*);

constexpr int64_t kGrain = 1 << 16;

// A larger result leaves the caches before anyone reads it.
constexpr int64_t kCachedBytes = 16 << 20;

// Elements decoded between two runs of streamed stores, so that both go on at once.
constexpr int64_t kStreamed = 1024;

FloatSource half_source(at::Tensor tensor, Widen widen) {
  const auto* data = static_cast<const uint16_t*>(tensor.const_data_ptr());
  return [tensor = std::move(tensor), data, widen](int64_t begin, int64_t count, float* buffer) {
    widen(data + begin, static_cast<size_t>(count), buffer);
    return static_cast<const float*>(buffer);
  };
}

bool is_large(const at::Tensor& result) {
  return static_cast<int64_t>(result.nbytes()) > kCachedBytes;
}

void fill_floats(const FloatSource& source, int64_t unit, at::Tensor& result) {
  auto* data = result.mutable_data_ptr<float>();
  const bool streamed = is_large(result);
  for_stretches(result.numel(), unit, kStreamed, [&](int64_t begin, int64_t end, float* buffer) {
    float* to = data + begin;
    const float* values = source(begin, end - begin, streamed ? buffer : to);
    if (values == to) return;
    kernels().stream(values, static_cast<size_t>(end - begin) * sizeof(float), to);
  });
}

void fill_halves(const FloatSource& source, int64_t unit, Narrow narrow, at::Tensor& result) {
  auto* data = static_cast<uint16_t*>(result.mutable_data_ptr());
  const bool streamed = is_large(result);
  for_stretches(result.numel(), unit, kStreamed, [&](int64_t begin, int64_t end, float* buffer) {
    const auto count = static_cast<size_t>(end - begin);
    const float* values = source(begin, end - begin, buffer);
    if (!streamed) return narrow(values, count, data + begin);
    alignas(64) std::array<uint16_t, kStretch> halves;
    narrow(values, count, halves.data());
    kernels().stream(halves.data(), count * sizeof(uint16_t), data + begin);
  });
}

}  // namespace

FloatSource float_source(const at::Tensor& tensor) {
  if (tensor.is_complex()) throw Error(ErrorKind::kSpec, "a complex tensor has no real values");
  at::Tensor flat = tensor.contiguous().cpu();
  if (flat.scalar_type() == at::kHalf) return half_source(flat, kernels().half_to_float);
  if (flat.scalar_type() == at::kBFloat16) return half_source(flat, kernels().bfloat16_to_float);
  flat = flat.to(at::kFloat);
  const auto* data = flat.const_data_ptr<float>();
  return [flat = std::move(flat), data](int64_t begin, int64_t, float*) { return data + begin; };
}

void for_stretches(int64_t count, int64_t unit, int64_t most,
                   const std::function<void(int64_t, int64_t, float*)>& body) {
  const int64_t stretch = std::max(unit, most / unit * unit);
  parallel_ranges(count, kGrain / stretch * stretch, [&](int64_t begin, int64_t end) {
    alignas(64) std::array<float, kStretch> buffer;
    for (; begin < end; begin += stretch) {
      body(begin, std::min(begin + stretch, end), buffer.data());
    }
  });
}

at::Tensor materialize(const FloatSource& source, at::IntArrayRef shape, at::ScalarType dtype,
                       int64_t unit) {
  if (dtype != at::kFloat && dtype != at::kHalf && dtype != at::kBFloat16) {
    throw Error(ErrorKind::kSpec, std::string("cannot decode to ") + at::toString(dtype))
        .hint("wanted float32, float16 or bfloat16");
  }
  at::Tensor result = empty_tensor(shape, dtype);
  if (dtype == at::kFloat) {
    fill_floats(source, unit, result);
  } else {
    const Kernels& versions = kernels();
    fill_halves(source, unit,
                dtype == at::kHalf ? versions.float_to_half : versions.float_to_bfloat16, result);
  }
  return result;
}

}  // namespace qspec
