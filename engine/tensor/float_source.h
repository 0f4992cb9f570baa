#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace qspec {

// Tensors pass through the caches in stretches of at most this many elements.
inline constexpr int64_t kStretch = 4096;

// Reads elements begin..begin+count-1 of a flattened tensor as floats, count <= kStretch: into
// `buffer`, or where they lie when they are floats already. Safe to call from several threads.
using FloatSource = std::function<const float*(int64_t begin, int64_t count, float* buffer)>;

// Of a tensor of any real dtype, which it keeps alive. Half types are exact; wider ones are rounded
// to float. Throws Error(kSpec) for a complex one.
FloatSource float_source(const at::Tensor& tensor);

// Calls body(begin, end, buffer) for stretches of 0..count-1 on all threads. A stretch begins at a
// multiple of `unit` (1 to kStretch) and has at most `most` elements (to kStretch), or one unit;
// `buffer` holds kStretch floats.
void for_stretches(int64_t count, int64_t unit, int64_t most,
                   const std::function<void(int64_t begin, int64_t end, float* buffer)>& body);

// All of `source` as a tensor of `shape`, cast once to `dtype`: float32, float16 or bfloat16. It is
// read in stretches that begin at multiples of `unit`. Throws Error(kSpec) for another dtype.
at::Tensor materialize(const FloatSource& source, at::IntArrayRef shape, at::ScalarType dtype,
                       int64_t unit);

}  // namespace qspec
