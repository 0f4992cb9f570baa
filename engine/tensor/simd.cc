#include "engine/tensor/simd.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/core/error.h"

namespace qspec {
namespace {

Simd strongest() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  // F16C came before AVX2 in every processor; clang before 17 cannot ask for it by name.
  const bool avx2 = __builtin_cpu_supports("avx2");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vbmi");
  if (avx2 && avx512) return Simd::kAvx512;
  if (avx2) return Simd::kAvx2;
#endif
  return Simd::kPlain;
}

Simd allowed() {
  const char* text = std::getenv("QSPEC_SIMD");
  if (text == nullptr) return Simd::kAvx512;
  const std::string_view name = text;
  if (name == "plain") return Simd::kPlain;
  if (name == "avx2") return Simd::kAvx2;
  if (name == "avx512") return Simd::kAvx512;
  throw Error(ErrorKind::kUsage, "QSPEC_SIMD is '" + printable(name) + "'")
      .hint("wanted plain, avx2 or avx512");
}

}  // namespace

bool has_simd(Simd level) {
  static const Simd kStrongest = strongest();
  return level <= kStrongest;
}

Simd simd() {
  static const Simd kChosen = std::min(strongest(), allowed());
  return kChosen;
}

}  // namespace qspec
