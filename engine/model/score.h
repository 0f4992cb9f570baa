#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "engine/model/model.h"

namespace qspec {

// Negative log-likelihood in nats of the tokens 2..T of `ids`, each given those before it: f32
// [T - 1], from fp32 logits. The mean's exponential is the perplexity. Throws Error(kSpec) for
// fewer than two tokens, and Error(kUnsupported) for an encoder-decoder.
at::Tensor score(const Model& model, const std::vector<int64_t>& ids);

}  // namespace qspec
