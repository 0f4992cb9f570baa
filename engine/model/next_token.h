#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/model/generate_options.h"
#include "engine/model/model.h"

namespace qspec {

// How one token was chosen.
struct GenerateStep {
  int64_t token = 0;
  float logit = 0;        // of that token, after the rules of the options
  double logprob = 0;     // the logarithm of its share, after the filters of sampling too
  double margin = 0;      // that logit less the runner-up's; see below
  int64_t runner_up = 0;  // the best of the other tokens
};

// The token is chosen among logits that were rounded to the dtype of the model, as transformers
// does; in half precision they are steps of up to 0.06 apart. The margin is taken before that
// rounding, among the best eight and before the filters of sampling: it says how sure the model
// was. It is negative where the rounding or the draw decided, and infinite when the rules left no
// other token.

// What the next token of one sequence is chosen from.
struct NextLogits {
  std::span<const int64_t> tokens;  // of the prompt with its padding, and the output so far
  size_t prompt_length;
  at::Tensor logits;  // [V], as the model rounded them
  at::Tensor hidden;  // [width], what they were made from
};

// Chooses as the options say; `uniform` of [0, 1) decides a draw. Throws Error(kCheckpoint) when a
// logit is not a number, unless the options make it one.
GenerateStep choose(const Model& model, const GenerateOptions& options, const NextLogits& next,
                    double uniform);

// The same of N rows at once, where nothing but the logits decides (takes_the_highest): logits
// [N, V] on the CPU, as the model rounded them, and hidden [N, width]. Empty for a row with a logit
// that is not a number.
std::vector<std::optional<GenerateStep>> choose_highest(const Model& model,
                                                        const at::Tensor& logits,
                                                        const at::Tensor& hidden);

// The scores f32 [V] that the token is chosen from: `logits` [V] after the rules and, when the
// options ask for a draw, its filters.
at::Tensor processed_scores(const GenerateOptions& options, std::span<const int64_t> tokens,
                            size_t prompt_length, const at::Tensor& logits);

}  // namespace qspec
