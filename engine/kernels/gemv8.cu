// Products with 8-bit codes: what is quick, and the rest.

#include <bit>

#include "engine/core/error.h"
#include "engine/kernels/code_value.h"
#include "engine/kernels/gemv8.h"
#include "engine/kernels/gemv_any.cuh"
#include "engine/kernels/gemv_kernel.cuh"

namespace qspec::cuda {
namespace {

using gemv::kChunk;
using gemv::kHalf;

struct Weight8 {
  const uint8_t* codes;
  bool is_float;
  const float* scales;
  const float* zeros;
  const float* shifts;
  int64_t rows, columns, group, group_rows, scales_per_row;

  __device__ float operator()(int64_t row, int64_t k) const {
    const uint8_t code = codes[row * columns + k];
    const int64_t at = row / group_rows * scales_per_row + k / group;
    const float value = is_float ? e4m3_value(code) : signed_value(code);
    const float scaled = (value - (zeros != nullptr ? zeros[at] : 0.0f)) * scales[at];
    return shifts != nullptr ? scaled + shifts[at] : scaled;
  }
};

bool is_quick(const Gemv8& job) {
  const auto address = [](const void* p) { return reinterpret_cast<uintptr_t>(p); };
  const int64_t least = job.kind == CodeValues::kSigned ? kHalf : kChunk;
  const bool is_one_group = job.scales_per_row == 1 && job.group >= job.columns;
  return job.columns % kChunk == 0 &&
         (is_one_group || (job.group >= least && std::has_single_bit(uint64_t(job.group)))) &&
         std::has_single_bit(uint64_t(job.group_rows)) &&
         job.rows * job.scales_per_row < INT32_MAX && job.rows < INT32_MAX / 2 &&
         job.columns < INT32_MAX / 2 && address(job.codes) % 16 == 0 && address(job.x) % 16 == 0;
}

gemv::Job quick_job(const Gemv8& job) {
  gemv::Job quick{};
  quick.codes = job.codes;
  quick.scales = job.scales;
  quick.are_shifts = job.shifts != nullptr;
  quick.offsets = quick.are_shifts ? job.shifts : job.zeros;
  quick.rows = static_cast<int>(job.rows);
  quick.chunks = static_cast<int>(job.columns / kChunk);
  quick.log2_group = gemv::log2_group(job.group, job.columns);
  quick.log2_group_rows = std::countr_zero(uint64_t(job.group_rows));
  quick.scales_per_row = static_cast<int>(job.scales_per_row);
  quick.x = job.x;
  quick.element = job.element;
  quick.batch = static_cast<int>(job.batch);
  quick.bias = {job.bias, job.bias_apart};
  quick.y = job.y;
  return quick;
}

bool launch_quick(const Gemv8& job, Stream stream) {
  if (!is_quick(job)) return false;
  const gemv::Job quick = quick_job(job);
  if (job.kind == CodeValues::kSigned) {
    return gemv::launch_for_scales<gemv::Signed8>(quick, job.group < kChunk, stream);
  }
  return quick.offsets == nullptr &&
         gemv::launch_for_batch<gemv::E4m3, gemv::Scaling::kChunks>(quick, stream);
}

}  // namespace

void gemv8(const Gemv8& job, Stream stream) {
  if (job.kind != CodeValues::kSigned && job.kind != CodeValues::kE4m3) {
    throw Error(ErrorKind::kInternal, "products are with whole numbers of 8 bits and e4m3 alone");
  }
  if (job.rows == 0 || job.batch == 0 || launch_quick(job, stream)) return;
  const Weight8 weight{job.codes,      job.kind == CodeValues::kE4m3,
                       job.scales,     job.zeros,
                       job.shifts,     job.rows,
                       job.columns,    job.group,
                       job.group_rows, job.scales_per_row};
  gemv::launch_any(weight, job, stream);
}

}  // namespace qspec::cuda
