#pragma once

#include <cstdint>
#include <span>

#include "engine/model/generate_options.h"

namespace qspec {

// Changes `scores` [V] of the next token as transformers' logits processors do, in their order:
// repetition penalty, repeated n-grams, minimum length, forced end, suppressed tokens. `tokens` is
// the prompt, `prompt_length` of them, and the output so far.
void apply_logits_rules(const GenerateOptions& options, std::span<const int64_t> tokens,
                        size_t prompt_length, std::span<float> scores);

}  // namespace qspec
