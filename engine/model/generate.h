#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/model/generate_options.h"
#include "engine/model/model.h"

namespace qspec {

// How one token was chosen.
struct GenerateStep {
  int64_t token = 0;
  float logit = 0;        // of that token, after the rules of the options
  double margin = 0;      // that logit less the runner-up's; see below
  int64_t runner_up = 0;  // the best of the other tokens
};

// The token is chosen among logits that were rounded to the dtype of the model, as transformers
// does; in half precision they are steps of up to 0.06 apart. The margin is taken before that
// rounding, among the best eight: it says how sure the model was, and is a little negative where
// the rounding decided. It is infinite when the rules left no other token.

struct Generation {
  std::vector<int64_t> ids;  // prompt and output; of an encoder-decoder the start and the output
  std::vector<GenerateStep> steps;
  bool met_eos = false;  // false: max_new_tokens were made
};

// Greedy decoding with a cache: at each step the token with the highest logit in fp32, the first of
// equals. An encoder-decoder reads the prompt as its source. Throws Error(kSpec) for ids outside
// the vocabulary or too many tokens, and Error(kCheckpoint) when a logit is not a number.
Generation generate(const Model& model, const std::vector<int64_t>& prompt,
                    const GenerateOptions& options);

}  // namespace qspec
