#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "engine/core/error.h"
#include "engine/tensor/float_source.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/parallel.h"
#include "engine/tensor/sizes.h"

namespace qspec {

// What is decoded of rows of codes. `Rows` has for_parts(begin, count, body), which calls
// body(CodedRow, first column, columns) for the parts of elements begin..begin+count-1, a row each,
// and kernels(), the versions that know its rows.

// The decoded elements; stretches may begin anywhere.
template <class Rows>
FloatSource source_of_rows(std::shared_ptr<const Rows> rows) {
  return [rows = std::move(rows)](int64_t begin, int64_t count, float* buffer) {
    float* to = buffer;
    rows->for_parts(begin, count, [&](const CodedRow& row, int64_t first, int64_t length) {
      const auto columns = static_cast<size_t>(length);
      rows->kernels().decode_coded(row, static_cast<size_t>(first), columns, to, false);
      to += length;
    });
    return static_cast<const float*>(buffer);
  };
}

// Calls body(begin, end) over disjoint parts of 0..count-1 elements on LibTorch's threads. Rows
// that have a better order than one after the other have an overload.
template <class Rows, class Body>
void for_ranges(const Rows&, int64_t count, int64_t grain, const Body& body) {
  parallel_ranges(count, grain, body);
}

template <class Element>
using DecodeCoded = void (*)(const CodedRow& row, size_t first, size_t count, Element* to,
                             bool streamed);

// Elements of the rows are decoded in parts of a multiple of `grain`.
template <class Element, class Rows>
void decode_rows(const Rows& rows, DecodeCoded<Element> decode, int64_t grain, at::Tensor& result) {
  // A larger result leaves the caches before anyone reads it.
  constexpr size_t kCachedBytes = 16 << 20;
  const bool streamed = result.nbytes() > kCachedBytes;
  auto* data = static_cast<Element*>(result.mutable_data_ptr());
  for_ranges(rows, result.numel(), grain, [&](int64_t begin, int64_t end) {
    Element* to = data + begin;
    rows.for_parts(begin, end - begin, [&](const CodedRow& row, int64_t first, int64_t length) {
      decode(row, static_cast<size_t>(first), static_cast<size_t>(length), to, streamed);
      to += length;
    });
  });
}

// All of them as a tensor of `shape`, cast once to `dtype`: float32, float16 or bfloat16. Throws
// Error(kSpec) for another one.
template <class Rows>
at::Tensor decoded_rows(const Rows& rows, at::IntArrayRef shape, at::ScalarType dtype,
                        int64_t grain) {
  const Kernels& versions = rows.kernels();
  if (dtype != at::kFloat && dtype != at::kHalf && dtype != at::kBFloat16) {
    throw Error(ErrorKind::kSpec, std::string("cannot decode to ") + at::toString(dtype))
        .hint("wanted float32, float16 or bfloat16");
  }
  at::Tensor result = empty_tensor(shape, dtype);
  if (dtype == at::kFloat) {
    decode_rows<float>(rows, versions.decode_coded, grain, result);
  } else {
    decode_rows<uint16_t>(
        rows,
        dtype == at::kHalf ? versions.decode_coded_to_half : versions.decode_coded_to_bfloat16,
        grain, result);
  }
  return result;
}

}  // namespace qspec
