#pragma once

#include <cstdint>
#include <span>

#include "engine/model/generate_options.h"

namespace qspec {

// Changes `scores` [V] of the next token as the logits processors of transformers 5.17 do, in their
// order: biases of sequences, rewards and penalties of repetition, repeated n-grams, bad words,
// minimum lengths, forced tokens, invalid values, growing weight of the end, suppressed tokens.
// `tokens` is the prompt, `prompt_length` of them, and the output so far; the padding of a shorter
// prompt is a part of it, as it is in transformers.
void apply_logits_rules(const GenerateOptions& options, std::span<const int64_t> tokens,
                        size_t prompt_length, std::span<float> scores);

}  // namespace qspec
