// Decoded values against their baseline in one pass. The work is cut into steps of 32 lanes'
// elements, and these among a number of warps that is the same on every GPU, so that sums are too.
// A warp's steps are copied into shared memory ahead of it.

#include <bit>

#include "engine/kernels/comparison_worker.cuh"
#include "engine/kernels/launch.cuh"

namespace qspec::cuda {
namespace {

using namespace comparison;

// Sums of this thread block, by warps in order.
template <class Source, class T>
__device__ void store_part(Worker<Source, T>& worker, BlockPart* part) {
  __shared__ PartSums of_warps[kWarps];
  PartSums& sums = worker.sums;
  worker.finish();
  merge_warp(sums);
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = sums;
  __syncthreads();
  if constexpr (Source::kHasCodes) worker.tables.fold();
  if (threadIdx.x < 16) {
    uint32_t count = 0;
    if constexpr (Source::kHasCodes) {
      count = worker.tables.of_code(threadIdx.x) + worker.single_codes[threadIdx.x];
    }
    part->histogram[threadIdx.x] = count;
  }
  if (threadIdx.x != 32) return;
  for (int warp = 1; warp < kWarps; ++warp) of_warps[0].merge(of_warps[warp]);
  part->sums = of_warps[0];
}

// Shared memory: both tables of bytes, the single codes; then the stages of a kernel that has some.
template <class Source>
constexpr size_t kTablesBytes = Source::kHasCodes ? 2 * ByteTables::kBytes + 16 * sizeof(uint32_t)
                                                  : 0;

template <class Source, class T>
__device__ Worker<Source, T> made_worker(const Source& source, const T* baseline, const Job& job,
                                         unsigned char* shared) {
  const ByteTables tables(shared, shared + ByteTables::kBytes);
  auto* singles = reinterpret_cast<uint32_t*>(shared + 2 * ByteTables::kBytes);
  if constexpr (Source::kHasCodes) {
    tables.clear();
    tables.fill(source.codes.codebook);
    if (threadIdx.x < 16) singles[threadIdx.x] = 0;
    __syncthreads();
  }
  return {source, baseline, job, tables, singles, {}};
}

// What a warp has of a step.
template <class Source, class T>
struct Stage {
  StagedValues<T, kPerLane<Source, T>> baseline;
  typename Source::template Stage<kPerLane<Source, T>> source;
};

// A warp's copies, step by step.
template <class Source, class T>
struct Loader {
  static constexpr int kPer = kPerLane<Source, T>;
  static constexpr int64_t kStep = Worker<Source, T>::kStep;

  int64_t left;  // elements from the step's first on
  const T* baseline;
  typename Source::template Reader<kPer> reader;

  __device__ Loader(const Source& source, const T* baseline, const Job& job, int64_t begin)
      : left(job.count - begin),
        baseline(baseline + begin + threadIdx.x % 32 * (16 / sizeof(T))),
        reader(source, begin, kStep, job.log2_block) {}

  __device__ void load_next(Stage<Source, T>& stage) {
    if (left >= 32 * kPer) {
      stage.baseline.load_all(baseline);
      reader.load_all(stage.source);
    } else if (left > 0) {
      stage.baseline.load(baseline, static_cast<int>(left));
      reader.load(static_cast<int>(left), stage.source);
    }
    commit_copies();
    left -= kStep;
    baseline += kStep;
    reader.advance(kStep);
  }
};

// Blocks of a power of two, from a lane's elements to a warp's.
template <class Source, class T, int kStages>
__global__ void __launch_bounds__(kThreads, 2)
    compare_kernel(const __grid_constant__ Source source, const T* __restrict__ baseline,
                   const __grid_constant__ Job job, BlockPart* __restrict__ parts) {
  extern __shared__ __align__(128) unsigned char shared[];
  constexpr int kPer = kPerLane<Source, T>;
  auto* stages = reinterpret_cast<Stage<Source, T>*>(shared + kTablesBytes<Source>) +
                 threadIdx.x / 32 * kStages;
  const int64_t begin = Worker<Source, T>::begin_of(0);
  Loader<Source, T> loader(source, baseline, job, begin);
  for (int i = 0; i < kStages; ++i) loader.load_next(stages[i]);
  Worker<Source, T> worker = made_worker(source, baseline, job, shared);
  const bool is_first_of_block = threadIdx.x % job.lanes == 0;
  const int lane = threadIdx.x % 32;
  const int steps = static_cast<int>(quotient_up(max(job.count - begin, int64_t{0}), loader.kStep));
  for (int step = 0, stage = 0; step < steps; ++step) {
    UnitSums unit;
    wait_for_copies<kStages - 1>();
    const int64_t left = loader.left + kStages * loader.kStep;
    if ((lane + 1) * kPer <= left) {
      float r[kPer], q[kPer];
      Vector<T, kPer> values;
      stages[stage].baseline.read_own(values);
      values.to_floats(r);
      Source::decode(stages[stage].source, worker.tables, q);
      if constexpr (Source::kHasCodes) {
        if (is_first_of_block) worker.note_scale(Source::scale(stages[stage].source));
      }
      unit = worker.add_unit(r, q, step);
    } else if (lane * kPer < left) {
      const int64_t first = worker.begin_of(step) + lane * kPer;
      for (int64_t i = first; i < job.count; ++i) worker.count_one(i);
      if (is_first_of_block) worker.note_scale_of(first >> job.log2_block);
      unit.is_safe = false;
    }
    __syncwarp();
    loader.load_next(stages[stage]);
    stage = stage == kStages - 1 ? 0 : stage + 1;
    worker.finish_block(unit, step);
  }
  store_part(worker, parts + blockIdx.x);
}

// Blocks of any size: a warp for each.
template <class Source, class T>
__global__ void __launch_bounds__(kThreads)
    compare_any_kernel(const __grid_constant__ Source source, const T* __restrict__ baseline,
                       const __grid_constant__ Job job, BlockPart* __restrict__ parts) {
  extern __shared__ __align__(128) unsigned char shared[];
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
constexpr int kFinishThreads = (kBlocks + 31) / 32 * 32;

__global__ void __launch_bounds__(kFinishThreads)
    finish_kernel(const BlockPart* __restrict__ parts, ComparisonSums* __restrict__ result) {
  __shared__ PartSums of_warps[kFinishThreads / 32];
  __shared__ int64_t histograms[kFinishThreads / 16][16];
  wait_for_previous_kernel();
  PartSums sums;
  if (threadIdx.x < kBlocks) sums = parts[threadIdx.x].sums;
  int64_t count = 0;
  for (int part = threadIdx.x / 16; part < kBlocks; part += kFinishThreads / 16) {
    count += parts[part].histogram[threadIdx.x % 16];
  }
  histograms[threadIdx.x / 16][threadIdx.x % 16] = count;
  merge_warp(sums);
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = sums;
  __syncthreads();
  if (threadIdx.x >= 32 && threadIdx.x < 48) {
    int64_t total = 0;
    for (int part = 0; part < kFinishThreads / 16; ++part)
      total += histograms[part][threadIdx.x - 32];
    result->histogram[threadIdx.x - 32] = total;
  }
  if (threadIdx.x != 0) return;
  for (int warp = 1; warp < kFinishThreads / 32; ++warp) sums.merge(of_warps[warp]);
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
constexpr size_t shared_bytes_of(int stages) {
  return kTablesBytes<Source> + kWarps * stages * sizeof(Stage<Source, T>);
}

// With as many stages as leave room for two thread blocks, if any do.
template <class Source, class T>
void launch_quick(const Source& source, const T* baseline, const Job& job, BlockPart* parts,
                  Stream stream) {
  const auto launch = [&](auto kernel, int stages) {
    const size_t bytes = shared_bytes_of<Source, T>(stages);
    allow_shared(kernel, bytes);
    kernel<<<kBlocks, kThreads, bytes, stream>>>(source, baseline, job, parts);
  };
  const auto fits = [](int stages, int blocks) {
    const size_t bytes = blocks * (shared_bytes_of<Source, T>(stages) + (4 << 10));
    return bytes <= static_cast<size_t>(current_device().shared_bytes) + (4 << 10);
  };
  if (fits(3, 2)) return launch(compare_kernel<Source, T, 3>, 3);
  if (fits(2, 2) || fits(2, 1)) return launch(compare_kernel<Source, T, 2>, 2);
  launch(compare_kernel<Source, T, 1>, 1);
}

bool is_quick_block(int64_t block_size, int per) {
  return std::has_single_bit(static_cast<uint64_t>(block_size)) && block_size >= per &&
         block_size <= 32 * per;
}

template <class Source, class T>
void launch(const Source& source, const T* baseline, Job job, bool is_aligned, void* workspace,
            ComparisonSums* result, Stream stream) {
  constexpr int kPer = kPerLane<Source, T>;
  job.log2_block = std::countr_zero(static_cast<uint64_t>(job.block_size));
  job.lanes = static_cast<int>(job.block_size / kPer);
  auto* parts = static_cast<BlockPart*>(workspace);
  if (is_aligned && is_quick_block(job.block_size, kPer)) {
    launch_quick(source, baseline, job, parts, stream);
  } else {
    const auto kernel = compare_any_kernel<Source, T>;
    allow_shared(kernel, kTablesBytes<Source>);
    kernel<<<kBlocks, kThreads, kTablesBytes<Source>, stream>>>(source, baseline, job, parts);
  }
  check(cudaGetLastError(), "launching a comparison");
  launch_after_previous(finish_kernel, 1, kFinishThreads, 0, stream, parts, result);
}

}  // namespace

size_t compare_workspace_bytes() {
  return kBlocks * sizeof(BlockPart);
}

void compare4(const Codes4OnDevice& codes, const void* baseline, Element element, void* workspace,
              ComparisonSums* result, Stream stream) {
  const Job job{codes.count, codes.block_size, 0, 0};
  const bool are_aligned = is_aligned(baseline, 16) && is_aligned(codes.packed, 16);
  with_element(element, [&](auto* type) {
    const auto* elements = static_cast<decltype(type)>(const_cast<void*>(baseline));
    launch(CodesSource{codes}, elements, job, are_aligned, workspace, result, stream);
  });
}

void compare_values(const void* decoded, Element decoded_element, const void* baseline,
                    Element element, int64_t count, int64_t block_size, void* workspace,
                    ComparisonSums* result, Stream stream) {
  const Job job{count, block_size, 0, 0};
  const bool are_aligned = is_aligned(baseline, 16) && is_aligned(decoded, 16);
  with_element(decoded_element, [&](auto* decoded_type) {
    using Q = std::remove_pointer_t<decltype(decoded_type)>;
    with_element(element, [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      launch(ValuesSource<Q>{static_cast<const Q*>(decoded)}, static_cast<const T*>(baseline), job,
             are_aligned, workspace, result, stream);
    });
  });
}

}  // namespace qspec::cuda
