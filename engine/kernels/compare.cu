// Decoded values against their baseline in one pass. The work is cut into steps of 512 elements,
// and these among a number of warps that is the same on every GPU, so that sums are too.

#include <bit>

#include "engine/kernels/codes4.cuh"
#include "engine/kernels/comparison_sources.cuh"
#include "engine/kernels/comparison_sums.cuh"
#include "engine/kernels/launch.cuh"

namespace qspec::cuda {
namespace {

using namespace comparison;

constexpr int kBlocks = 256;
constexpr int kWarps = kThreads / 32;

struct BlockPart {
  PartSums sums;
  uint32_t histogram[16];
};

struct Job {
  int64_t count;
  int64_t block_size;
  int log2_block;  // where it is a power of two
  int lanes;       // that share a block then
};

struct BlockSums {
  double squares = 0, errors = 0;
};

// One element in double, as Accumulator::add_carefully (engine/tensor/compare.cc) does.
__device__ void add_carefully(float r, float q, int64_t index, PartSums& sums) {
  sums.nonfinite_baseline += isfinite(r) ? 0 : 1;
  sums.nonfinite_decoded += isfinite(q) ? 0 : 1;
  if (!isfinite(r) || !isfinite(q)) return;
  const double baseline = r, error = static_cast<double>(q) - baseline;
  sums.baseline_squares += baseline * baseline;
  sums.error_squares += error * error;
  sums.cross += baseline * error;
  if (error != 0) sums.note_error(fabs(error), index);
}

// A unit in double. Not inlined, so that what is rare takes no registers from what is not.
template <class Source, class T>
__device__ __noinline__ PartSums careful_unit(const Source& source, const T* baseline,
                                              const Job& job, int64_t begin) {
  PartSums sums;
  const int64_t end = min(job.count, begin + kPer), block = begin >> job.log2_block;
  for (int64_t i = begin; i < end; ++i) {
    add_carefully(to_float(baseline[i]), source.value(i, block), i, sums);
  }
  return sums;
}

// Sums of 16 elements in fp32; or not, and then they have to be taken in double.
struct UnitSums {
  float squares = 0, errors = 0;
  bool is_safe = true;
};

// What a lane has seen of units that fp32 could hold. Updating it takes no branch: at the beginning
// nearly every step brings something worse.
struct Records {
  float error = 0;
  int64_t unit = 0;  // where the largest error is
  float ratio = 0;
  float errors = 0, squares = 0;
  int64_t block_begin = 0;

  __device__ void note_error(float largest, int64_t begin) {
    unit = largest > error ? begin : unit;
    error = fmaxf(error, largest);
  }
  __device__ void note_block(const UnitSums& sums, int64_t begin) {
    const float its = __fdividef(sums.errors, sums.squares);  // a NaN where nothing is
    const bool is_worse = its > ratio;
    ratio = is_worse ? its : ratio;
    errors = is_worse ? sums.errors : errors;
    squares = is_worse ? sums.squares : squares;
    block_begin = is_worse ? begin : block_begin;
  }
};

// What a thread block works with.
template <class Source, class T>
struct Worker {
  const Source& source;
  const T* baseline;
  const Job& job;
  const float2* pairs;
  ByteCounters bytes;
  uint32_t* single_codes;  // [16], of elements that are counted one by one
  PartSums sums;
  Records records;
  uint32_t zero_scales = 0, nonfinite_scales = 0;

  __device__ void note_scale(float scale) {
    zero_scales += scale == 0 ? 1 : 0;
    nonfinite_scales += isfinite(scale) ? 0 : 1;
  }

  __device__ void note_scale_of(int64_t block) {
    if constexpr (Source::kHasCodes) note_scale(source.codes.absmax[block]);
  }

  __device__ void count_one(int64_t i) {
    if constexpr (Source::kHasCodes) atomicAdd(single_codes + source.code(i), 1);
  }

  __device__ UnitSums add_unit(const float (&r)[kPer], const float (&q)[kPer], int64_t begin) {
    float square = 0, error = 0, cross = 0, largest = 0;
#pragma unroll
    for (int i = 0; i < kPer; ++i) {
      const float e = __fsub_rn(q[i], r[i]);
      square = fmaf(r[i], r[i], square);
      error = fmaf(e, e, error);
      cross = fmaf(r[i], e, cross);
      largest = fmaxf(largest, fabsf(e));
    }
    const float both = square + error;
    if (!(both < 1e36f) || (both <= 1e-20f && (both > 0 || largest > 0))) return {0, 0, false};
    sums.baseline_squares += square;
    sums.error_squares += error;
    sums.cross += cross;
    records.note_error(largest, begin);
    return {square, error, true};
  }

  __device__ BlockSums add_carefully_from(int64_t begin) {
    const PartSums part = careful_unit(source, baseline, job, begin);
    sums.merge(part);
    return {part.baseline_squares, part.error_squares};
  }

  // Lanes that share a block add up its sums; each of them notes it.
  __device__ void finish_block(UnitSums unit, int64_t begin) {
    if (!__all_sync(~0u, unit.is_safe)) return finish_block_carefully(unit, begin);
    for (int by = job.lanes / 2; by > 0; by /= 2) {
      unit.squares += __shfl_xor_sync(~0u, unit.squares, by);
      unit.errors += __shfl_xor_sync(~0u, unit.errors, by);
    }
    records.note_block(unit, begin);
  }

  __device__ void finish_block_carefully(UnitSums unit, int64_t begin) {
    BlockSums part{unit.squares, unit.errors};
    if (!unit.is_safe) part = add_carefully_from(begin);
    for (int by = job.lanes / 2; by > 0; by /= 2) {
      part.squares += __shfl_xor_sync(~0u, part.squares, by);
      part.errors += __shfl_xor_sync(~0u, part.errors, by);
    }
    if (begin < job.count) sums.note_block(begin >> job.log2_block, part.errors, part.squares);
  }

  // Takes the records into the sums; the place of the largest error is looked for only now.
  __device__ void finish() {
    sums.zero_scales = zero_scales;
    sums.nonfinite_scales = nonfinite_scales;
    sums.note_block(records.block_begin >> job.log2_block, records.errors, records.squares);
    if (!(records.error > 0)) return;
    Vector<T, kPer> values;
    values.load(baseline + records.unit);
    float r[kPer], q[kPer];
    values.to_floats(r);
    source.decode(source.load(records.unit, job.log2_block), pairs, q);
    int first = kPer;
#pragma unroll
    for (int i = kPer - 1; i >= 0; --i) {
      first = fabsf(__fsub_rn(q[i], r[i])) == records.error ? i : first;
    }
    sums.note_error(records.error, records.unit + first);
  }
};

// Sums of this thread block, by warps in order.
template <class Source, class T>
__device__ void store_part(Worker<Source, T>& worker, BlockPart* part) {
  __shared__ PartSums of_warps[kWarps];
  PartSums& sums = worker.sums;
  worker.finish();
  merge_warp(sums);
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = sums;
  __syncthreads();
  worker.bytes.fold();
  if (threadIdx.x < 16) {
    part->histogram[threadIdx.x] =
        worker.bytes.of_code(threadIdx.x) + worker.single_codes[threadIdx.x];
  }
  if (threadIdx.x != 32) return;
  for (int warp = 1; warp < kWarps; ++warp) of_warps[0].merge(of_warps[warp]);
  part->sums = of_warps[0];
}

constexpr size_t kCountersBytes = 256 * kHistogramCopies * sizeof(uint32_t);

// Shared memory: the table of pairs, the counters, the single codes.
template <class Source>
constexpr size_t kSharedBytes = kCountersBytes + 16 * sizeof(uint32_t) +
                                (Source::kHasCodes ? kPairTableBytes : 0);

template <class Source, class T>
__device__ Worker<Source, T> made_worker(const Source& source, const T* baseline, const Job& job,
                                         unsigned char* shared) {
  auto* counts = reinterpret_cast<uint32_t*>(shared);
  auto* singles = reinterpret_cast<uint32_t*>(shared + kCountersBytes);
  auto* table = reinterpret_cast<float2*>(singles + 16);
  const ByteCounters bytes{counts};
  bytes.clear();
  if (threadIdx.x < 16) singles[threadIdx.x] = 0;
  if constexpr (Source::kHasCodes) fill_pairs(table, source.codes.codebook);
  __syncthreads();
  return {source, baseline, job, own_pairs(table), bytes, singles, {}};
}

// Blocks of 16 to 512 elements, a power of two.
template <class Source, class T>
__global__ void __launch_bounds__(kThreads, 2)
    compare_kernel(const __grid_constant__ Source source, const T* __restrict__ baseline,
                   const __grid_constant__ Job job, BlockPart* __restrict__ parts) {
  extern __shared__ __align__(16) unsigned char shared[];
  Worker<Source, T> worker = made_worker(source, baseline, job, shared);
  constexpr int64_t kStep = int64_t{kBlocks} * kWarps * 32 * kPer;
  int64_t begin =
      ((int64_t{threadIdx.x / 32} * kBlocks + blockIdx.x) * 32 + threadIdx.x % 32) * kPer;
  const int64_t first_of_warp = begin - int64_t{threadIdx.x % 32} * kPer;
  typename Source::Loaded codes;
  Vector<T, kPer> values;
  const auto load = [&](int64_t at) {
    if (at + kPer > job.count) return;
    codes = source.load(at, job.log2_block);
    values.load(baseline + at);
  };
  load(begin);
  const bool is_first_of_block = threadIdx.x % job.lanes == 0;
  for (int64_t warp = first_of_warp; warp < job.count; warp += kStep, begin += kStep) {
    UnitSums unit;
    if (begin + kPer <= job.count) {
      float r[kPer], q[kPer];
      values.to_floats(r);
      source.decode(codes, worker.pairs, q);
      if constexpr (Source::kHasCodes) {
        source.count(codes, worker.bytes);
        if (is_first_of_block) worker.note_scale(codes.scale);
      }
      load(begin + kStep);
      unit = worker.add_unit(r, q, begin);
    } else if (begin < job.count) {
      for (int64_t i = begin; i < job.count; ++i) worker.count_one(i);
      if (is_first_of_block) worker.note_scale_of(begin >> job.log2_block);
      unit.is_safe = false;
    }
    worker.finish_block(unit, begin);
  }
  store_part(worker, parts + blockIdx.x);
}

// Blocks of any size: a warp for each.
template <class Source, class T>
__global__ void __launch_bounds__(kThreads)
    compare_any_kernel(const __grid_constant__ Source source, const T* __restrict__ baseline,
                       const __grid_constant__ Job job, BlockPart* __restrict__ parts) {
  extern __shared__ __align__(16) unsigned char shared[];
  Worker<Source, T> worker = made_worker(source, baseline, job, shared);
  const int64_t blocks = quotient_up(job.count, job.block_size);
  for (int64_t b = int64_t{threadIdx.x / 32} * kBlocks + blockIdx.x; b < blocks;
       b += int64_t{kBlocks} * kWarps) {
    const int64_t begin = b * job.block_size, end = min(job.count, begin + job.block_size);
    PartSums of_lane;
    for (int64_t i = begin + threadIdx.x % 32; i < end; i += 32) {
      add_carefully(to_float(baseline[i]), source.value(i, b), i, of_lane);
      worker.count_one(i);
    }
    worker.sums.merge(of_lane);
    BlockSums part{of_lane.baseline_squares, of_lane.error_squares};
    for (int by = 16; by > 0; by /= 2) {
      part.squares += __shfl_xor_sync(~0u, part.squares, by);
      part.errors += __shfl_xor_sync(~0u, part.errors, by);
    }
    worker.sums.note_block(b, part.errors, part.squares);
    if (threadIdx.x % 32 == 0) worker.note_scale_of(b);
  }
  store_part(worker, parts + blockIdx.x);
}

// All parts, in order, in one thread block.
__global__ void __launch_bounds__(kBlocks)
    finish_kernel(const BlockPart* __restrict__ parts, ComparisonSums* __restrict__ result) {
  __shared__ PartSums of_warps[kBlocks / 32];
  __shared__ int64_t histograms[kBlocks / 16][16];
  PartSums sums = parts[threadIdx.x].sums;
  int64_t count = 0;
#pragma unroll
  for (int part = 0; part < 16; ++part) {
    count += parts[threadIdx.x / 16 * 16 + part].histogram[threadIdx.x % 16];
  }
  histograms[threadIdx.x / 16][threadIdx.x % 16] = count;
  merge_warp(sums);
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = sums;
  __syncthreads();
  if (threadIdx.x >= 32 && threadIdx.x < 48) {
    int64_t total = 0;
    for (int part = 0; part < kBlocks / 16; ++part) total += histograms[part][threadIdx.x - 32];
    result->histogram[threadIdx.x - 32] = total;
  }
  if (threadIdx.x != 0) return;
  for (int warp = 1; warp < kBlocks / 32; ++warp) sums.merge(of_warps[warp]);
  result->nonfinite_decoded = sums.nonfinite_decoded;
  result->nonfinite_baseline = sums.nonfinite_baseline;
  result->baseline_squares = sums.baseline_squares;
  result->error_squares = sums.error_squares;
  result->cross = sums.cross;
  result->max_abs_error = sums.max_abs_error;
  result->max_error_index = sums.max_error_index;
  result->worst_block = sums.worst_block;
  result->worst_error_squares = sums.worst_error_squares;
  result->worst_baseline_squares = sums.worst_baseline_squares;
  result->zero_scales = sums.zero_scales;
  result->nonfinite_scales = sums.nonfinite_scales;
}

bool is_aligned(const void* pointer, size_t bytes) {
  return reinterpret_cast<uintptr_t>(pointer) % bytes == 0;
}

template <class Source, class T>
void launch(const Source& source, const T* baseline, Job job, bool is_quick, void* workspace,
            ComparisonSums* result, Stream stream) {
  const auto kernel = is_quick ? compare_kernel<Source, T> : compare_any_kernel<Source, T>;
  job.lanes = static_cast<int>(job.block_size / kPer);
  allow_shared(kernel, kSharedBytes<Source>);
  auto* parts = static_cast<BlockPart*>(workspace);
  kernel<<<kBlocks, kThreads, kSharedBytes<Source>, stream>>>(source, baseline, job, parts);
  check(cudaGetLastError(), "launching a comparison");
  finish_kernel<<<1, kBlocks, 0, stream>>>(parts, result);
  check(cudaGetLastError(), "launching the end of a comparison");
}

bool is_quick_block(int64_t block_size) {
  return std::has_single_bit(static_cast<uint64_t>(block_size)) && block_size >= kPer &&
         block_size <= 32 * kPer;
}

}  // namespace

size_t compare_workspace_bytes() {
  return kBlocks * sizeof(BlockPart);
}

void compare4(const Codes4OnDevice& codes, const void* baseline, Element element, void* workspace,
              ComparisonSums* result, Stream stream) {
  const Job job{codes.count, codes.block_size,
                std::countr_zero(static_cast<uint64_t>(codes.block_size)), 0};
  const bool is_quick =
      is_quick_block(codes.block_size) && is_aligned(baseline, 16) && is_aligned(codes.packed, 8);
  with_element(element, [&](auto* type) {
    const auto* elements = static_cast<decltype(type)>(const_cast<void*>(baseline));
    launch(CodesSource{codes}, elements, job, is_quick, workspace, result, stream);
  });
}

void compare_values(const void* decoded, Element decoded_element, const void* baseline,
                    Element element, int64_t count, int64_t block_size, void* workspace,
                    ComparisonSums* result, Stream stream) {
  const Job job{count, block_size, std::countr_zero(static_cast<uint64_t>(block_size)), 0};
  const bool is_quick =
      is_quick_block(block_size) && is_aligned(baseline, 16) && is_aligned(decoded, 16);
  with_element(decoded_element, [&](auto* decoded_type) {
    using Q = std::remove_pointer_t<decltype(decoded_type)>;
    with_element(element, [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      launch(ValuesSource<Q>{static_cast<const Q*>(decoded)}, static_cast<const T*>(baseline), job,
             is_quick, workspace, result, stream);
    });
  });
}

}  // namespace qspec::cuda
