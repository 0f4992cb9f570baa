#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "engine/model/model.h"

namespace qspec {

// Two distributions of the next token at each place of a text, [N] each.
struct Divergence {
  at::Tensor nll;           // f64: -ln q(the token that follows), q of the model
  at::Tensor baseline_nll;  // f64: -ln p, p of the baseline
  at::Tensor kl;            // f64: sum of p (ln p - ln q) over the vocabulary, in nats
  at::Tensor same_top;      // bool: both have the same best token, the first of equals
  // f64: the logit of the baseline's best token less that of the best other one. Of the model it
  // is negative where another token is best; of a vocabulary of one token infinite.
  at::Tensor margin;
  at::Tensor baseline_margin;
};

// Row by row in fp64, with no other memory than the rows: logits [N, V] of the model and of its
// baseline, and the tokens int64 [N] that follow. A token that the model excludes (a logit of minus
// infinity) and the baseline does not makes kl infinite; one that the baseline excludes adds
// nothing.
Divergence divergence(const at::Tensor& logits, const at::Tensor& baseline_logits,
                      const at::Tensor& tokens);

// Of the tokens first + 1..T of `ids`, each given those before it; counted from 1, `first` of 1 or
// more. Throws Error(kSpec) when the vocabularies differ, or nothing is left to score.
Divergence compare_models(const Model& model, const Model& baseline,
                          const std::vector<int64_t>& ids, int64_t first = 1);

}  // namespace qspec
