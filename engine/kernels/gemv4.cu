// Products with 4-bit codes: what is quick, and the rest.

#include <bit>

#include "engine/kernels/gemv4.h"
#include "engine/kernels/gemv_any.cuh"
#include "engine/kernels/gemv_kernel.cuh"

namespace qspec::cuda {
namespace {

using gemv::kChunk;
using gemv::kHalf;

struct Weight4 {
  const uint8_t* packed;
  const float* scales;
  const float* zeros;
  const float* shifts;
  Codebook16 codebook;
  bool low_nibble_first;
  int64_t rows, columns, group, scales_per_row;

  __device__ float operator()(int64_t row, int64_t k) const {
    const int64_t i = row * columns + k;
    const uint8_t byte = packed[i / 2];
    const bool is_high = (i % 2 == 0) != low_nibble_first;
    const int64_t at = scales_per_row > 0 ? row * scales_per_row + k / group : i / group;
    const float value = codebook.value[is_high ? byte >> 4 : byte & 15];
    const float scaled = (value - (zeros != nullptr ? zeros[at] : 0.0f)) * scales[at];
    return shifts != nullptr ? scaled + shifts[at] : scaled;
  }
};

int64_t groups_per_row(const Gemv4& job) {
  return job.scales_per_row > 0 ? job.scales_per_row : job.columns / job.group;
}

bool is_quick(const Gemv4& job) {
  const auto address = [](const void* p) { return reinterpret_cast<uintptr_t>(p); };
  const bool is_one_group = job.scales_per_row == 1 && job.group >= job.columns;
  return job.columns % kChunk == 0 &&
         (is_one_group || (job.group >= kHalf && std::has_single_bit(uint64_t(job.group)))) &&
         (job.scales_per_row > 0 || job.columns % job.group == 0) &&
         job.rows * groups_per_row(job) < INT32_MAX && job.rows < INT32_MAX / 2 &&
         job.columns < INT32_MAX / 2 && address(job.packed) % 16 == 0 && address(job.x) % 16 == 0;
}

gemv::Job quick_job(const Gemv4& job) {
  gemv::Job quick{};
  quick.codes = job.packed;
  quick.scales = job.scales;
  quick.are_shifts = job.shifts != nullptr;
  quick.offsets = quick.are_shifts ? job.shifts : job.zeros;
  quick.codebook = job.codebook;
  quick.low_nibble_first = job.low_nibble_first;
  quick.rows = static_cast<int>(job.rows);
  quick.chunks = static_cast<int>(job.columns / kChunk);
  quick.log2_group = gemv::log2_group(job.group, job.columns);
  quick.scales_per_row = static_cast<int>(groups_per_row(job));
  quick.x = job.x;
  quick.element = job.element;
  quick.batch = static_cast<int>(job.batch);
  quick.bias = {job.bias, job.bias_apart};
  quick.y = job.y;
  return quick;
}

bool launch_quick(const Gemv4& job, Stream stream) {
  return is_quick(job) &&
         gemv::launch_for_scales<gemv::Nibbles>(quick_job(job), job.group < kChunk, stream);
}

}  // namespace

size_t gemv4_workspace_bytes(int64_t) {
  return 16;
}

void gemv4(const Gemv4& job, Stream stream) {
  if (job.rows == 0 || job.batch == 0 || launch_quick(job, stream)) return;
  const Weight4 weight{job.packed,   job.scales,           job.zeros, job.shifts,
                       job.codebook, job.low_nibble_first, job.rows,  job.columns,
                       job.group,    job.scales_per_row};
  gemv::launch_any(weight, job, stream);
}

}  // namespace qspec::cuda
