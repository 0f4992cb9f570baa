#pragma once

namespace qspec {

// The instruction sets that the kernels of this folder are written for, weakest first.
enum class Simd { kPlain, kAvx2, kAvx512 };

// The strongest set of this processor, asked once. The environment variable QSPEC_SIMD (plain,
// avx2, avx512) lowers it and never raises it; any other value is an Error(kUsage).
Simd simd();

// Whether this processor has `level`, whatever QSPEC_SIMD says.
bool has_simd(Simd level);

}  // namespace qspec
