#pragma once

#include "engine/tensor/ggml_decoders.h"

// Only ggml_decoders.cc and the versions themselves include this.
namespace qspec {

struct GgmlRow {
  Dtype dtype;
  GgmlDecode decode;
};

inline constexpr size_t kGgmlRows = kDtypeCount - static_cast<size_t>(Dtype::kQ4_0);

extern const GgmlRow kGgmlPlain[kGgmlRows];
extern const GgmlRow kGgmlAvx2[kGgmlRows];
extern const GgmlRow kGgmlAvx512[kGgmlRows];

}  // namespace qspec
