// Softmax statistics of a row in one pass: each thread keeps a running maximum and sums relative to
// it, and these are merged (Milakov and Gimelshein 2018, "Online normalizer calculation for
// softmax"). For the divergence, with a = baseline logits and b = the model's:
//   KL = sum p (a - b) - log sum exp(a) + log sum exp(b),  p = exp(a - log sum exp(a)).

#include <limits>

#include "engine/kernels/cross_entropy.h"
#include "engine/kernels/launch.cuh"

namespace qspec::cuda {
namespace {

constexpr int kThreads = 512;
constexpr int kWarps = kThreads / 32;
constexpr int kPer = 8;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Sums of exp(x - max), and of exp(x - max) * weight.
struct Normalizer {
  float max = -kInfinity;
  double sum = 0;
  double weighted = 0;
  int32_t top = INT32_MAX;

  // Elements `begin` and those behind it; terms of 8 are added in fp32, then in double.
  template <bool kWeighted>
  __device__ void add(const float (&x)[kPer], const float (&weights)[kPer], int32_t begin) {
    float largest = x[0];
#pragma unroll
    for (int i = 1; i < kPer; ++i) largest = fmaxf(largest, x[i]);
    if (largest > max) rescale(x, largest, begin);
    float terms = 0, products = 0;
#pragma unroll
    for (int i = 0; i < kPer; ++i) {
      // Minus infinity adds nothing, also where nothing larger has come; a NaN makes all of it one.
      const float term = x[i] == -kInfinity ? 0.0f : expf(x[i] - max);
      terms += term;
      if (kWeighted && term != 0) products = fmaf(term, weights[i], products);
    }
    sum += terms;
    if (kWeighted) weighted += products;
  }

  __device__ void rescale(const float (&x)[kPer], float largest, int32_t begin) {
    const double by = exp(static_cast<double>(max) - static_cast<double>(largest));
    sum *= by;
    weighted *= by;
    max = largest;
#pragma unroll
    for (int i = kPer - 1; i >= 0; --i) top = x[i] == largest ? begin + i : top;
  }

  __device__ void merge(const Normalizer& other) {
    if (other.max > max || (other.max == max && other.top < top)) top = other.top;
    const float larger = fmaxf(max, other.max);
    const double mine = max == larger ? 1.0 : exp(static_cast<double>(max) - larger);
    const double its = other.max == larger ? 1.0 : exp(static_cast<double>(other.max) - larger);
    sum = sum * mine + other.sum * its;
    weighted = weighted * mine + other.weighted * its;
    max = larger;
  }

  __device__ double log_sum() const {
    return max + log(sum);
  }
};

template <class T>
__device__ T shuffled_down(const T& value, int by) {
  T result;
  const auto* from = reinterpret_cast<const uint32_t*>(&value);
  auto* to = reinterpret_cast<uint32_t*>(&result);
#pragma unroll
  for (size_t i = 0; i < sizeof(T) / 4; ++i) to[i] = __shfl_down_sync(~0u, from[i], by);
  return result;
}

// Thread 0 gets what the whole block has.
__device__ Normalizer of_block(Normalizer mine) {
  __shared__ __align__(8) unsigned char bytes[kWarps * sizeof(Normalizer)];
  auto* of_warps = reinterpret_cast<Normalizer*>(bytes);
  for (int by = 16; by > 0; by /= 2) mine.merge(shuffled_down(mine, by));
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = mine;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int warp = 1; warp < kWarps; ++warp) mine.merge(of_warps[warp]);
  }
  __syncthreads();
  return mine;
}

// 8 logits of a row; minus infinity behind its end.
template <class T>
__device__ void load_eight(const T* row, int64_t begin, int64_t count, bool is_aligned,
                           float (&x)[kPer]) {
  if (is_aligned && begin + kPer <= count) {
    Vector<T, kPer> vector;
    vector.load(row + begin);
    return vector.to_floats(x);
  }
#pragma unroll
  for (int i = 0; i < kPer; ++i) x[i] = begin + i < count ? to_float(row[begin + i]) : -kInfinity;
}

template <class T>
__device__ double nll_of(const T* row, int64_t vocabulary, int64_t target, double log_sum) {
  if (target < 0 || target >= vocabulary) return kNan;
  return log_sum - static_cast<double>(to_float(row[target]));
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    score_kernel(const T* __restrict__ logits, const T* __restrict__ baseline, int64_t rows,
                 int64_t vocabulary, bool is_aligned, const int64_t* __restrict__ targets,
                 TokenScores* __restrict__ scores) {
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const T* model_row = logits + row * vocabulary;
    const T* base_row = baseline != nullptr ? baseline + row * vocabulary : nullptr;
    Normalizer model, base;
    for (int64_t i = int64_t{threadIdx.x} * kPer; i < vocabulary; i += int64_t{kThreads} * kPer) {
      float a[kPer], b[kPer];
      load_eight(model_row, i, vocabulary, is_aligned, b);
      if (base_row != nullptr) load_eight(base_row, i, vocabulary, is_aligned, a);
      model.add<false>(b, b, static_cast<int32_t>(i));
      if (base_row == nullptr) continue;
#pragma unroll
      for (int k = 0; k < kPer; ++k) b[k] = a[k] - b[k];
      base.add<true>(a, b, static_cast<int32_t>(i));
    }
    model = of_block(model);
    if (base_row != nullptr) base = of_block(base);
    if (threadIdx.x != 0) continue;
    TokenScores& score = scores[row];
    score = {kNan, kNan, kNan, model.top, -1};
    score.nll = nll_of(model_row, vocabulary, targets[row], model.log_sum());
    if (base_row == nullptr) continue;
    score.baseline_nll = nll_of(base_row, vocabulary, targets[row], base.log_sum());
    score.kl = base.weighted / base.sum - base.log_sum() + model.log_sum();
    score.baseline_top = base.top;
  }
}

}  // namespace

void score_tokens(const void* logits, const void* baseline, Element element, int64_t rows,
                  int64_t vocabulary, const int64_t* targets, TokenScores* scores, Stream stream) {
  if (rows == 0) return;
  with_element(element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const auto kernel = score_kernel<T>;
    const auto addresses =
        reinterpret_cast<uintptr_t>(logits) | reinterpret_cast<uintptr_t>(baseline);
    const bool rows_are_aligned = vocabulary % kPer == 0 && addresses % 16 == 0;
    const int blocks = resident_blocks(kernel, kThreads, 0, rows);
    kernel<<<blocks, kThreads, 0, stream>>>(static_cast<const T*>(logits),
                                            static_cast<const T*>(baseline), rows, vocabulary,
                                            rows_are_aligned, targets, scores);
  });
  check(cudaGetLastError(), "launching the scores of tokens");
}

}  // namespace qspec::cuda
