#pragma once

#include <cstdint>

#include "engine/kernels/both.h"

namespace qspec::cuda {

// Where the heads of a projection lie: of row b of the batch, head h begins
//
//   b * row + h / in_group * group + h % in_group * head
//
// elements behind `data`. Layouts of fused projections differ in nothing else.
struct HeadPlaces {
  const void* data = nullptr;
  int64_t row = 0;
  int64_t group = 0;
  int64_t head = 0;
  int32_t in_group = 1;

  QSPEC_BOTH int64_t offset(int64_t b, int32_t h) const {
    return b * row + h / in_group * group + h % in_group * head;
  }
};

// How far each sequence has come. Of a batch of B: [B] each, in device memory, so that a launch
// that was recorded once is right for every step.
struct Progress {
  int32_t* lengths = nullptr;       // tokens in the cache before this step
  const int32_t* starts = nullptr;  // padding before the first token
};

}  // namespace qspec::cuda
