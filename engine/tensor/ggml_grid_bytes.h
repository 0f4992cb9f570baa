#pragma once

#include <cstdint>

namespace qspec {

// The grids of ggml_grids.h as the magnitudes that their entries stand for, one a byte, the first
// lowest.
struct GgmlGridBytes {
  uint64_t iq2_xxs[256], iq2_xs[512], iq2_s[1024];  // 8, 25 or 43
  uint32_t iq3_xxs[256], iq3_s[512];
  uint64_t iq1[2048];  // eight times -1, 0 or 1, and 16 more
};

extern const GgmlGridBytes kGgmlGridBytes;

}  // namespace qspec
