#pragma once

#include "engine/kernels/device.h"

namespace qspec::cuda {

// Of one position: two models' logits over the vocabulary, and the token that came.
struct TokenScores {
  double nll;           // of the model: -log softmax(logits)[token], in nats
  double baseline_nll;  // of the baseline
  double kl;            // sum of p * log(p / q), p the baseline's and q the model's, in nats
  int32_t top;          // the first largest logit of the model
  int32_t baseline_top;
};

// One pass over the logits [rows, vocabulary], which are not copied; `baseline` null scores the
// model alone. Exponentials are fp32, sums double, in an order that depends on the vocabulary
// alone. A row with a NaN has NaN scores; its top is that of the other logits. `targets` [rows] are
// tokens; one that is none of the vocabulary gives a NaN nll.
void score_tokens(const void* logits, const void* baseline, Element element, int64_t rows,
                  int64_t vocabulary, const int64_t* targets, TokenScores* scores, Stream stream);

}  // namespace qspec::cuda
