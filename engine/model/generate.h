#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/model/generate_options.h"
#include "engine/model/model.h"
#include "engine/model/next_token.h"

namespace qspec {

struct Generation {
  std::vector<int64_t> ids;  // prompt and output; of an encoder-decoder the start and the output
  std::vector<GenerateStep> steps;
  bool met_eos = false;  // false: as many tokens as were asked for were made
};

// Decoding with a cache, as generate() of transformers 5.17 does it: at each step the token with
// the highest logit in fp32, the first of equals; or one drawn with the number that philox.h has
// for the seed, the sequence and the step. Several prompts run as one batch with the shorter ones
// padded on the left, which can change the last bits of their logits. An encoder-decoder reads the
// prompts as its sources. Throws Error(kSpec) for ids outside the vocabulary or too many tokens,
// and Error(kCheckpoint) when a logit is not a number.
std::vector<Generation> generate_batch(const Model& model,
                                       std::span<const std::vector<int64_t>> prompts,
                                       const GenerateOptions& options);

Generation generate(const Model& model, const std::vector<int64_t>& prompt,
                    const GenerateOptions& options);

}  // namespace qspec
