// The end of a product.

#pragma once

#include "engine/kernels/launch.cuh"

namespace qspec::cuda::gemv {

struct Bias {
  const void* values;  // [rows] of the elements of y, or null
  bool apart;          // the product is rounded before

  template <class T>
  __device__ T operator()(float sum, int64_t row) const {
    if (values == nullptr) return from_float<T>(sum);
    const float product = apart ? to_float(from_float<T>(sum)) : sum;
    return from_float<T>(product + to_float(static_cast<const T*>(values)[row]));
  }
};

}  // namespace qspec::cuda::gemv
