#include "engine/tensor/ggml_decoders.h"

#include <algorithm>

#include "engine/core/error.h"
#include "engine/tensor/ggml_versions.h"

namespace qspec {
namespace {

const GgmlRow* rows([[maybe_unused]] Simd level) {
#if defined(__x86_64__)
  if (level == Simd::kAvx512) return kGgmlAvx512;
  if (level == Simd::kAvx2) return kGgmlAvx2;
#endif
  return kGgmlPlain;
}

}  // namespace

GgmlDecode ggml_decoder(Dtype dtype, Simd level) {
  const GgmlRow* first = rows(level);
  const GgmlRow* row = std::find_if(first, first + kGgmlRows,
                                    [&](const GgmlRow& each) { return each.dtype == dtype; });
  if (row == first + kGgmlRows) {
    throw Error(ErrorKind::kSpec,
                std::string(info(dtype).stored_name) + " is none of ggml's blocks")
        .hint("wanted Q4_K or another of them");
  }
  return row->decode;
}

}  // namespace qspec
