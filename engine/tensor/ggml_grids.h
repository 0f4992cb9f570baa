#pragma once

#include <cstdint>

namespace qspec {

// Groups of codes that ggml's i-quants choose from: 8 codes of 2 bits, or 4 of 3 bits in 4 bits
// each; the first is lowest.
extern const uint16_t kGgmlGridIq2Xxs[256];
extern const uint16_t kGgmlGridIq2Xs[512];
extern const uint16_t kGgmlGridIq2S[1024];
extern const uint16_t kGgmlGridIq3Xxs[256];
extern const uint16_t kGgmlGridIq3S[512];
extern const uint16_t kGgmlGridIq1[2048];

}  // namespace qspec
