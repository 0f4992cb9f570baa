#pragma once

#include "engine/kernels/device.h"
#include "engine/kernels/step/places.h"

namespace qspec::cuda {

// The end of a step: of each row the token with the highest logit, the first of equals, becomes the
// next one (a NaN is never it); the logits, and what the head was given, are kept in a ring; and
// the lengths grow by one.
struct StepEnd {
  const void* logits;  // [batch, vocabulary]
  const void* hidden;  // [batch, width]
  void* kept_logits;   // [ring, batch, vocabulary]
  void* kept_hidden;   // [ring, batch, width]
  int64_t* ids;        // [batch], and as they are kept:
  int64_t* kept_ids;   // [ring, batch]
  Progress progress;
  int32_t first_length;  // `lengths` before the step that is kept first
  int32_t ring;
  int64_t batch, vocabulary, width;
  Element element;
};

void step_end(const StepEnd& job, Stream stream);

}  // namespace qspec::cuda
