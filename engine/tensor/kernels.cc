#include "engine/tensor/kernels.h"

#include "engine/tensor/kernel_versions.h"

namespace qspec {
namespace {

#define QSPEC_KERNELS(SUFFIX)                                                                      \
  {                                                                                                \
    half_to_float_##SUFFIX, bfloat16_to_float_##SUFFIX, float_to_half_##SUFFIX,                    \
        float_to_bfloat16_##SUFFIX, stream_##SUFFIX, encode4_##SUFFIX, decode_coded_##SUFFIX,      \
        decode_coded_to_half_##SUFFIX, decode_coded_to_bfloat16_##SUFFIX, transpose_tile_##SUFFIX, \
        transpose_fields_##SUFFIX, field_nibbles_##SUFFIX, sum_vectors_##SUFFIX, absmax_##SUFFIX,  \
        error_sums_##SUFFIX, moment_sums_##SUFFIX                                                  \
  }

constexpr Kernels kPlain = QSPEC_KERNELS(plain);
#if defined(__x86_64__)
constexpr Kernels kAvx2 = QSPEC_KERNELS(avx2);
constexpr Kernels kAvx512 = QSPEC_KERNELS(avx512);
#endif

}  // namespace

const Kernels& kernels([[maybe_unused]] Simd level) {
#if defined(__x86_64__)
  if (level == Simd::kAvx512) return kAvx512;
  if (level == Simd::kAvx2) return kAvx2;
#endif
  return kPlain;
}

}  // namespace qspec
