// What a thread block of a comparison does with values once it has them: see compare.cu.

#pragma once

#include "engine/kernels/comparison_sources.cuh"
#include "engine/kernels/comparison_sums.cuh"
#include "engine/kernels/launch.cuh"

namespace qspec::cuda::comparison {

inline constexpr int kThreads = 256;
inline constexpr int kBlocks = 264;
inline constexpr int kWarps = kThreads / 32;

// Neighbouring elements of a lane: fewer where they are long.
template <class Source, class T>
constexpr int kPerLane = Source::kBytes + sizeof(T) > 4 ? 16 : 32;

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
__device__ inline void add_carefully(float r, float q, int64_t index, PartSums& sums) {
  sums.nonfinite_baseline += isfinite(r) ? 0 : 1;
  sums.nonfinite_decoded += isfinite(q) ? 0 : 1;
  if (!isfinite(r) || !isfinite(q)) return;
  const double baseline = r, error = static_cast<double>(q) - baseline;
  sums.baseline_squares += baseline * baseline;
  sums.error_squares += error * error;
  sums.cross += baseline * error;
  if (error != 0) sums.note_error(fabs(error), index);
}

// Some elements in double. Not inlined, so that what is rare takes no registers from what is not.
template <class Source, class T>
__device__ __noinline__ PartSums careful_unit(const Source& source, const T* baseline,
                                              const Job& job, int64_t begin, int per) {
  PartSums sums;
  const int64_t end = min(job.count, begin + per), block = begin >> job.log2_block;
  for (int64_t i = begin; i < end; ++i) {
    add_carefully(to_float(baseline[i]), source.value(i, block), i, sums);
  }
  return sums;
}

// Sums of a lane's elements in fp32; or not, and then they have to be taken in double.
struct UnitSums {
  float squares = 0, errors = 0, cross = 0, largest = 0;
  bool is_safe = true;

  // 16 of them.
  __device__ void add(const float* r, const float* q) {
#pragma unroll
    for (int i = 0; i < 16; ++i) {
      const float e = __fsub_rn(q[i], r[i]);
      squares = fmaf(r[i], r[i], squares);
      errors = fmaf(e, e, errors);
      cross = fmaf(r[i], e, cross);
      largest = fmaxf(largest, fabsf(e));
    }
  }
  // Nothing has left fp32's range at either end.
  __device__ bool fits() const {
    const float both = squares + errors;
    return (both < 1e36f) & ((both > 1e-20f) | ((both == 0) & (largest == 0)));
  }
};

// What a lane has seen of units that fp32 could hold, and in which step. Updating it takes no
// branch: at the beginning nearly every step brings something worse.
struct Records {
  float error = 0;
  int error_step = 0;
  float ratio = 0;
  float errors = 0, squares = 0;
  int block_step = 0;

  __device__ void note_error(float largest, int step) {
    error_step = largest > error ? step : error_step;
    error = fmaxf(error, largest);
  }
  __device__ void note_block(const UnitSums& sums, int step) {
    const float its = __fdividef(sums.errors, sums.squares);  // a NaN where nothing is
    const bool is_worse = its > ratio;
    ratio = is_worse ? its : ratio;
    errors = is_worse ? sums.errors : errors;
    squares = is_worse ? sums.squares : squares;
    block_step = is_worse ? step : block_step;
  }
};

// What a thread block works with.
template <class Source, class T>
struct Worker {
  static constexpr int kPer = kPerLane<Source, T>;
  static constexpr int64_t kStep = int64_t{kBlocks} * kWarps * 32 * kPer;

  const Source& source;
  const T* baseline;
  const Job& job;
  ByteTables tables;
  uint32_t* single_codes;  // [16], of elements that are counted one by one
  PartSums sums;
  Records records;
  uint32_t zero_scales = 0, nonfinite_scales = 0;

  // Where the elements of the lane's warp begin in a step.
  __device__ static int64_t begin_of(int step) {
    return (int64_t{threadIdx.x / 32} * kBlocks + blockIdx.x) * 32 * kPer + step * kStep;
  }

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

  // Sums in fp32 are of 16 elements at most, and then of a block's.
  __device__ UnitSums add_unit(const float (&r)[kPer], const float (&q)[kPer], int step) {
    UnitSums parts[kPer / 16], unit;
#pragma unroll
    for (int part = 0; part < kPer / 16; ++part) {
      parts[part].add(r + 16 * part, q + 16 * part);
      unit.is_safe = unit.is_safe && parts[part].fits();
    }
    if (!unit.is_safe) return unit;
#pragma unroll
    for (int part = 0; part < kPer / 16; ++part) {
      sums.baseline_squares += parts[part].squares;
      sums.error_squares += parts[part].errors;
      sums.cross += parts[part].cross;
      unit.squares += parts[part].squares;
      unit.errors += parts[part].errors;
      unit.largest = fmaxf(unit.largest, parts[part].largest);
    }
    records.note_error(unit.largest, step);
    return unit;
  }

  __device__ BlockSums add_carefully_from(int64_t begin) {
    const PartSums part = careful_unit(source, baseline, job, begin, kPer);
    sums.merge(part);
    return {part.baseline_squares, part.error_squares};
  }

  // Lanes that share a block add up its sums; each of them notes it.
  __device__ void finish_block(UnitSums unit, int step) {
    if (!__all_sync(~0u, unit.is_safe)) {
      return finish_block_carefully(unit, begin_of(step) + threadIdx.x % 32 * kPer);
    }
    for (int by = job.lanes / 2; by > 0; by /= 2) {
      unit.squares += __shfl_xor_sync(~0u, unit.squares, by);
      unit.errors += __shfl_xor_sync(~0u, unit.errors, by);
    }
    records.note_block(unit, step);
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

  // Takes the records into the sums. The place of a warp's largest error is looked for only now, by
  // all of its lanes.
  __device__ void finish() {
    sums.zero_scales = zero_scales;
    sums.nonfinite_scales = nonfinite_scales;
    const int lane = threadIdx.x % 32;
    sums.note_block((begin_of(records.block_step) + lane * kPer) >> job.log2_block, records.errors,
                    records.squares);
    float largest = records.error;
    for (int by = 16; by > 0; by /= 2) largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, by));
    if (!(largest > 0)) return;
    for (unsigned have = __ballot_sync(~0u, records.error == largest); have != 0;
         have &= have - 1) {
      const int from = __ffs(have) - 1;
      const int64_t at =
          begin_of(__shfl_sync(~0u, records.error_step, from)) + from * kPer + lane % kPer;
      const float e = __fsub_rn(source.value(at, at >> job.log2_block), to_float(baseline[at]));
      const unsigned equal = __ballot_sync(~0u, fabsf(e) == largest);
      if (lane == __ffs(equal) - 1) sums.note_error(largest, at);
    }
  }
};

}  // namespace qspec::cuda::comparison
