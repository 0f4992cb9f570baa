#pragma once

#include "engine/model/model.h"

namespace qspec {

// Model::run over `options.step` tokens at a time, each behind those before it in the cache, as
// decoding does it; all at once when it is 0. The result is that of all tokens.
RunResult run_in_steps(const Model& model, const TokenBatch& batch, KvCache& cache,
                       const RunOptions& options);

}  // namespace qspec
