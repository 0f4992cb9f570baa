#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

namespace qspec {

// No tensor made here is larger: a script that asks for more has made a mistake. These functions
// throw Error(kDevice) before anything is allocated.
inline constexpr int64_t kLargestTensorBytes = int64_t{64} << 30;

// The product of `shape`. Throws Error(kCheckpoint) for a negative size or an overflow.
int64_t element_count(at::IntArrayRef shape);

// `shape` again, when a tensor of it is within the limit.
at::IntArrayRef checked_size(at::IntArrayRef shape, at::ScalarType dtype);

// Memory without values for a tensor of this shape; that of large ones comes from the page pool
// (page_pool.h).
at::Tensor empty_tensor(at::IntArrayRef shape, at::ScalarType dtype);

// The result of an operation element by element, of up to 8 bytes an element.
void check_broadcast(const at::Tensor& a, const at::Tensor& b);

// The product of two matrices, or of batches of them.
void check_matmul(const at::Tensor& a, const at::Tensor& b);

}  // namespace qspec
