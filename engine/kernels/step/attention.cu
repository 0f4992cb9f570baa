// A thread block takes a head of a sequence. Its warps take keys in turn, a lane neighbouring pairs
// of elements; the sums of the warps are added in their order. The first keys and values of a warp
// are fetched before the projections of this token are there.

#include "engine/kernels/step/attention.h"
#include "engine/kernels/step/step.cuh"

namespace qspec::cuda {
namespace {

constexpr int kThreads = 512;
constexpr int kAngleThreads = 64;
constexpr int kWarps = kThreads / 32;
constexpr int kMostWidth = 256;
constexpr int kAtOnce = 4;  // keys of a warp whose loads are in flight together

// Shared memory, behind which the scores lie.
struct Shared {
  float q[kMostWidth];
  float k[kMostWidth];  // of the new token, as the cache holds it
  float of_warps[32];
  float sums[kWarps][kMostWidth];
};

template <class T>
__device__ float table_value(const RotationTable& table, const void* values, int64_t at) {
  return table.precise_table ? static_cast<const float*>(values)[at]
                             : to_float(static_cast<const T*>(values)[at]);
}

template <class T>
__device__ float rotated_element(const StepAttention& job, const T* head, int64_t b, int i) {
  const int pairs = job.table.pairs;
  if (i >= 2 * pairs) return to_float(head[i]);
  const RoundedTo<T> rounded;
  const RotatedPair pair = pair_of_element(job.style, i, pairs);
  const int64_t at = b * pairs + pair.index;
  return rounded(rotated(to_float(head[pair.first]), to_float(head[pair.second]),
                         table_value<T>(job.table, job.table.cos, at),
                         table_value<T>(job.table, job.table.sin, at), pair.gives_second,
                         job.precise_rotation || job.table.precise_table, rounded));
}

// What a block works on: tokens `first` to `last`, the new one.
template <class T>
struct Head {
  __device__ explicit Head(const StepAttention& job)
      : b(blockIdx.x / job.heads),
        h(static_cast<int>(blockIdx.x % job.heads)),
        kv(h / (job.heads / job.kv_heads)),
        last(job.progress.lengths[b]),
        start(job.progress.starts[b]),
        first(job.window > 0 ? max(start, last - job.window + 1) : start) {
    const int64_t cache = (b * job.kv_heads + kv) * job.capacity * job.width;
    keys = static_cast<T*>(job.keys) + cache;
    values = static_cast<T*>(job.values) + cache;
  }

  int64_t b;
  int h, kv;
  int last, start, first;
  T* keys;
  T* values;
};

// The elements of a lane of one key or value: Pairs of two, 64 apart.
template <class T, int Pairs>
struct LaneOfRow {
  float of[Pairs][2] = {};

  template <class From>
  __device__ void load(const From* row, int width) {
#pragma unroll
    for (int i = 0; i < Pairs; ++i) {
      const int d = 64 * i + threadIdx.x % 32 * 2;
      if (d < width) load_floats<2>(row + d, of[i]);
    }
  }
};

// Those of kAtOnce tokens of a warp: `token`, token + kWarps, ...; of the cache alone.
template <class T, int Pairs>
struct LaneOfRows {
  LaneOfRow<T, Pairs> rows[kAtOnce];

  __device__ void load(const T* cache, int token, int last, int width) {
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const int one = token + i * kWarps;
      if (one < last) rows[i].load(cache + int64_t{one} * width, width);
    }
  }
};

// Rotates query and key; one block of those that share a key writes it, and its value.
template <class T>
__device__ void begin(const StepAttention& job, const Head<T>& head, Shared& shared) {
  const bool writes = head.h % (job.heads / job.kv_heads) == 0;
  const T* q = static_cast<const T*>(job.q.data) + job.q.offset(head.b, head.h);
  const T* k = static_cast<const T*>(job.k.data) + job.k.offset(head.b, head.kv);
  const T* v = static_cast<const T*>(job.v.data) + job.v.offset(head.b, head.kv);
  for (int i = threadIdx.x; i < 2 * job.width; i += kThreads) {
    const bool is_key = i >= job.width;
    const int at = is_key ? i - job.width : i;
    const float value = rotated_element(job, is_key ? k : q, head.b, at);
    (is_key ? shared.k : shared.q)[at] = value;
    if (!is_key || !writes) continue;
    const int64_t to = int64_t{head.last} * job.width + at;
    head.keys[to] = from_float<T>(value);
    head.values[to] = v[at];
  }
  __syncthreads();
}

template <class T>
__device__ float score_of(const StepAttention& job, const Head<T>& head, float product, int key) {
  const RoundedTo<T> rounded;
  if (job.slopes == nullptr) return scored(job.scoring, product, rounded);
  return scored_with_position(job.scoring, product, job.slopes[head.h], key - head.start, rounded);
}

template <class T, int Pairs>
__device__ float dot(const LaneOfRow<T, Pairs>& a, const LaneOfRow<T, Pairs>& b) {
  float sum = 0;
#pragma unroll
  for (int i = 0; i < Pairs; ++i) {
    sum = fmaf(a.of[i][0], b.of[i][0], sum);
    sum = fmaf(a.of[i][1], b.of[i][1], sum);
  }
  for (int by = 16; by > 0; by /= 2) sum += __shfl_xor_sync(~0u, sum, by);
  return sum;
}

// `ahead` holds the first keys of the warp.
template <class T, int Pairs>
__device__ void score_keys(const StepAttention& job, const Head<T>& head, const Shared& shared,
                           LaneOfRows<T, Pairs>& ahead, float* scores) {
  LaneOfRow<T, Pairs> q, own;
  q.load(shared.q, job.width);
  own.load(shared.k, job.width);
  const int begin = head.first + static_cast<int>(threadIdx.x) / 32;
  for (int key = begin; key <= head.last; key += kWarps * kAtOnce) {
    if (key > begin) ahead.load(head.keys, key, head.last, job.width);
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const int one = key + i * kWarps;
      if (one > head.last) break;
      const float product = dot(q, one == head.last ? own : ahead.rows[i]);
      if (threadIdx.x % 32 == 0) scores[one - head.first] = score_of(job, head, product, one);
    }
  }
  __syncthreads();
}

__device__ inline float block_max(float x, float* of_warps) {
  for (int by = 16; by > 0; by /= 2) x = fmaxf(x, __shfl_xor_sync(~0u, x, by));
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = x;
  __syncthreads();
  x = of_warps[threadIdx.x % kWarps];
  for (int by = 16; by > 0; by /= 2) x = fmaxf(x, __shfl_xor_sync(~0u, x, by));
  return x;
}

// Scores to shares of 1. A score that is not a number makes all of them so.
template <class T>
__device__ void share(const StepAttention& job, int count, Shared& shared, float* scores) {
  float most = scores[0];
  for (int i = threadIdx.x; i < count; i += kThreads) most = fmaxf(most, scores[i]);
  most = block_max(most, shared.of_warps);
  float sum = 0;
  for (int i = threadIdx.x; i < count; i += kThreads) {
    scores[i] = expf(scores[i] - most);
    sum += scores[i];
  }
  sum = block_sum(sum, shared.of_warps);
  for (int i = threadIdx.x; i < count; i += kThreads) {
    const float part = scores[i] / sum;
    scores[i] = job.scoring.rounds ? RoundedTo<T>()(part) : part;
  }
  __syncthreads();
}

// `ahead` holds the first values of the warp.
template <class T, int Pairs>
__device__ void add_values(const StepAttention& job, const Head<T>& head, const float* shares,
                           LaneOfRows<T, Pairs>& ahead, Shared& shared) {
  LaneOfRow<T, Pairs> own, sums;
  own.load(static_cast<const T*>(job.v.data) + job.v.offset(head.b, head.kv), job.width);
  const int warp = threadIdx.x / 32, begin = head.first + warp;
  for (int token = begin; token <= head.last; token += kWarps * kAtOnce) {
    if (token > begin) ahead.load(head.values, token, head.last, job.width);
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const int one = token + i * kWarps;
      if (one > head.last) break;
      const LaneOfRow<T, Pairs>& row = one == head.last ? own : ahead.rows[i];
      const float part = shares[one - head.first];
#pragma unroll
      for (int j = 0; j < Pairs; ++j) {
        sums.of[j][0] = fmaf(part, row.of[j][0], sums.of[j][0]);
        sums.of[j][1] = fmaf(part, row.of[j][1], sums.of[j][1]);
      }
    }
  }
#pragma unroll
  for (int j = 0; j < Pairs; ++j) {
    const int d = 64 * j + threadIdx.x % 32 * 2;
    shared.sums[warp][d] = sums.of[j][0];
    shared.sums[warp][d + 1] = sums.of[j][1];
  }
  __syncthreads();
}

template <class T, int Pairs>
__global__ void __launch_bounds__(kThreads)
    attention_kernel(const __grid_constant__ StepAttention job) {
  extern __shared__ __align__(16) unsigned char bytes[];
  Shared& shared = *reinterpret_cast<Shared*>(bytes);
  auto* scores = reinterpret_cast<float*>(bytes + sizeof(Shared));
  const Head<T> head(job);
  const int begins = head.first + static_cast<int>(threadIdx.x) / 32;
  LaneOfRows<T, Pairs> keys, values;
  keys.load(head.keys, begins, head.last, job.width);
  values.load(head.values, begins, head.last, job.width);
  wait_for_previous_kernel();
  let_next_kernel_begin();
  begin(job, head, shared);
  score_keys(job, head, shared, keys, scores);
  share<T>(job, head.last - head.first + 1, shared, scores);
  add_values(job, head, scores, values, shared);
  auto* out = static_cast<T*>(job.out) + (head.b * job.heads + head.h) * job.width;
  for (int i = threadIdx.x; i < job.width; i += kThreads) {
    float sum = 0;
    for (int warp = 0; warp < kWarps; ++warp) sum += shared.sums[warp][i];
    out[i] = from_float<T>(sum);
  }
}

template <class T, int Pairs>
void launch(const StepAttention& job, Stream stream) {
  const int64_t seen = job.window > 0 ? std::min<int64_t>(job.window, job.capacity) : job.capacity;
  const size_t shared = sizeof(Shared) + sizeof(float) * static_cast<size_t>(seen);
  const auto blocks = static_cast<int>(job.heads * job.batch);
  allow_shared(attention_kernel<T, Pairs>, shared);
  launch_after_previous(attention_kernel<T, Pairs>, blocks, kThreads, shared, stream, job);
}

template <class T>
__global__ void angles_kernel(const __grid_constant__ RotationAngles job) {
  wait_for_previous_kernel();
  let_next_kernel_begin();
  const int blocks = static_cast<int>(quotient_up(job.to.pairs, kAngleThreads));
  const int i = threadIdx.x + kAngleThreads * (blockIdx.x % blocks);
  const int64_t b = blockIdx.x / blocks;
  if (i >= job.to.pairs) return;
  const int position = job.progress.lengths[b] - job.progress.starts[b];
  const float angle = static_cast<float>(position) * job.frequencies[i];
  const float cosine = cosf(angle) * job.amplitude, sine = sinf(angle) * job.amplitude;
  const int64_t at = b * job.to.pairs + i;
  if (job.to.precise_table) {
    static_cast<float*>(job.to.cos)[at] = cosine;
    static_cast<float*>(job.to.sin)[at] = sine;
  } else {
    static_cast<T*>(job.to.cos)[at] = from_float<T>(cosine);
    static_cast<T*>(job.to.sin)[at] = from_float<T>(sine);
  }
}

}  // namespace

void rotation_angles(const RotationAngles& job, Stream stream) {
  const auto blocks = static_cast<int>(quotient_up(job.to.pairs, kAngleThreads) * job.batch);
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    launch_after_previous(angles_kernel<T>, blocks, kAngleThreads, 0, stream, job);
  });
}

int64_t step_attention_capacity(const StepAttention& job) {
  if (job.width > kMostWidth || job.width % 2 != 0) return 0;
  const int64_t left = current_device().shared_bytes - static_cast<int64_t>(sizeof(Shared));
  return left / static_cast<int64_t>(sizeof(float));
}

void step_attention(const StepAttention& job, Stream stream) {
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    if (job.width <= 64) return launch<T, 1>(job, stream);
    if (job.width <= 128) return launch<T, 2>(job, stream);
    launch<T, 4>(job, stream);
  });
}

}  // namespace qspec::cuda
