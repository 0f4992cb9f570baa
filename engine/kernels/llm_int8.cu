// Activations of LLM.int8() and the end of its product: a thread block for each row, which it reads
// twice, from caches the second time.

#include "engine/kernels/launch.cuh"
#include "engine/kernels/llm_int8.h"

namespace qspec::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kListThreads = 1024;

// bitsandbytes' own constants for 1 / 127^2 and 1 / 127.
constexpr float kInverse127Squared = 6.200124e-05f;
constexpr float kInverse127 = 7.874015718698502e-3f;
constexpr float kLeastAbsmax = 1e-30f;  // a row of zeros has no scale

// Rounded to float16.
template <class T>
__device__ float half_of(T x) {
  return __half2float(__float2half_rn(to_float(x)));
}

__device__ float largest_of_block(float largest) {
  __shared__ float of_warps[kThreads / 32];
  for (int by = 16; by > 0; by /= 2) largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, by));
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = largest;
  __syncthreads();
  largest = 0;
  for (const float of_warp : of_warps) largest = fmaxf(largest, of_warp);
  return largest;
}

// `has_outlier` was cleared; all that write to it write 1.
template <class T>
__global__ void __launch_bounds__(kThreads)
    activations_kernel(const T* __restrict__ x, int64_t columns, float threshold,
                       int8_t* __restrict__ codes, float* __restrict__ absmax,
                       uint8_t* __restrict__ has_outlier) {
  const int64_t row = blockIdx.x;
  const T* from = x + row * columns;
  const auto is_outlier = [threshold](float value) {
    return threshold > 0 && fabsf(value) >= threshold;
  };
  float largest = 0;
  for (int64_t k = threadIdx.x; k < columns; k += kThreads) {
    const float value = half_of(from[k]);
    if (is_outlier(value)) {
      has_outlier[k] = 1;
    } else {
      largest = fmaxf(largest, fabsf(value));
    }
  }
  largest = largest_of_block(largest);
  const float scale = __fmul_rn(__frcp_rn(fmaxf(largest, kLeastAbsmax)), 127.0f);
  for (int64_t k = threadIdx.x; k < columns; k += kThreads) {
    const float value = half_of(from[k]);
    const float scaled = is_outlier(value) ? 0.0f : rintf(__fmul_rn(value, scale));
    codes[row * columns + k] = fabsf(scaled) <= 127 ? static_cast<int8_t>(scaled) : int8_t{0};
  }
  if (threadIdx.x == 0) absmax[row] = largest;
}

// Lists the columns that have an outlier, in order, and clears their codes where rows are several.
__global__ void __launch_bounds__(kListThreads)
    list_kernel(const uint8_t* __restrict__ has_outlier, int64_t rows, int64_t columns,
                int32_t* __restrict__ list, int8_t* __restrict__ codes) {
  __shared__ int of_warps[kListThreads / 32];
  int count = 0;
  for (int64_t begin = 0; begin < columns; begin += kListThreads) {
    const int64_t k = begin + threadIdx.x;
    const bool is_listed = k < columns && has_outlier[k] != 0;
    const unsigned listed = __ballot_sync(~0u, is_listed);
    if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = __popc(listed);
    __syncthreads();
    int before = count;
    for (int warp = 0; warp < kListThreads / 32; ++warp) {
      if (warp < static_cast<int>(threadIdx.x / 32)) before += of_warps[warp];
      count += of_warps[warp];
    }
    before += __popc(listed & ((1u << threadIdx.x % 32) - 1));
    if (is_listed) list[1 + before] = static_cast<int32_t>(k);
    if (is_listed && rows > 1) {
      for (int64_t row = 0; row < rows; ++row) codes[row * columns + k] = 0;
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) list[0] = count;
}

// An int8 of the weight as at::addmm is given it.
template <class T>
__device__ float decoded(int8_t code, float absmax) {
  const float value = __fmul_rn(__fmul_rn(static_cast<float>(code), absmax), kInverse127);
  return to_float(from_float<T>(value));
}

__device__ float bias_of(const Int8Result& job, int64_t output) {
  if (job.bias_element == Element::kFloat32) return static_cast<const float*>(job.bias)[output];
  if (job.bias_element == Element::kFloat16) {
    return to_float(static_cast<const __half*>(job.bias)[output]);
  }
  return to_float(static_cast<const __nv_bfloat16*>(job.bias)[output]);
}

__device__ float with_bias(const Int8Result& job, float sum, int64_t output) {
  if (job.bias == nullptr) return half_of(sum);
  const float bias = bias_of(job, output);
  if (job.bias_element == Element::kFloat16) return half_of(__fadd_rn(sum, bias));
  return half_of(__fadd_rn(half_of(sum), bias));
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    finish_kernel(const __grid_constant__ Int8Result job, const T* __restrict__ x,
                  T* __restrict__ y) {
  const int64_t output = int64_t{blockIdx.x} * kThreads + threadIdx.x, row = blockIdx.y;
  if (output >= job.outputs) return;
  const float absmax = job.weight_absmax[output];
  const auto product = static_cast<float>(job.product[row * job.product_stride + output]);
  const float scale = __fmul_rn(job.row_absmax[row], absmax);
  const float sum = __fmul_rn(__fmul_rn(product, scale), kInverse127Squared);
  T result = from_float<T>(with_bias(job, sum, output));
  const int outliers = job.outlier_columns != nullptr ? job.outlier_columns[0] : 0;
  if (outliers > 0) {
    float added = 0;
    for (int i = 0; i < outliers; ++i) {
      const int64_t k = job.outlier_columns[1 + i];
      added = fmaf(to_float(x[row * job.columns + k]),
                   decoded<T>(job.weight[output * job.columns + k], absmax), added);
    }
    result = from_float<T>(to_float(result) + added);
  }
  y[row * job.outputs + output] = result;
}

}  // namespace

void quantize_activations8(const Int8Activations& job, Stream stream) {
  if (job.rows == 0 || job.columns == 0) return;
  check(cudaMemsetAsync(job.workspace, 0, static_cast<size_t>(job.columns), stream),
        "clearing what says where outliers are");
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    activations_kernel<<<static_cast<unsigned>(job.rows), kThreads, 0, stream>>>(
        static_cast<const T*>(job.x), job.columns, job.threshold, job.codes, job.absmax,
        job.workspace);
  });
  check(cudaGetLastError(), "launching the quantization of activations");
  list_kernel<<<1, kListThreads, 0, stream>>>(job.workspace, job.rows, job.columns,
                                              job.outlier_columns, job.codes);
  check(cudaGetLastError(), "launching the list of outliers");
}

void finish_product8(const Int8Result& job, Stream stream) {
  if (job.rows == 0 || job.outputs == 0) return;
  const dim3 blocks(static_cast<unsigned>(quotient_up(job.outputs, kThreads)),
                    static_cast<unsigned>(job.rows));
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    finish_kernel<<<blocks, kThreads, 0, stream>>>(job, static_cast<const T*>(job.x),
                                                   static_cast<T*>(job.y));
  });
  check(cudaGetLastError(), "launching the end of a product of 8 bits");
}

}  // namespace qspec::cuda
