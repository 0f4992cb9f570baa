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
  float margin = 0;       // logit less that of the runner-up
  int64_t runner_up = 0;  // the second best token
};

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
