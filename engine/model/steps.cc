#include "engine/model/steps.h"

#include <ATen/ops/cat.h>

#include <algorithm>

namespace qspec {
namespace {

// Tokens first..first + count of each sequence.
TokenBatch part_of(const TokenBatch& batch, int64_t first, int64_t count) {
  return {batch.ids.narrow(1, first, count), batch.keys.narrow(1, 0, first + count)};
}

at::Tensor joined(const at::Tensor& before, const at::Tensor& behind) {
  return before.defined() ? at::cat({before, behind}, 1) : behind;
}

}  // namespace

RunResult run_in_steps(const Model& model, const TokenBatch& batch, KvCache& cache,
                       const RunOptions& options) {
  const int64_t tokens = batch.ids.size(1);
  if (options.step == 0) return model.run(batch, cache, options);
  RunResult whole;
  for (int64_t first = 0; first < tokens; first += options.step) {
    const int64_t count = std::min(options.step, tokens - first);
    RunResult part = model.run(part_of(batch, first, count), cache, options);
    const bool keeps = !options.last_position_only;
    whole.logits = joined(keeps ? whole.logits : at::Tensor(), part.logits);
    whole.hidden = joined(keeps ? whole.hidden : at::Tensor(), part.hidden);
    for (auto& [name, tap] : part.taps) whole.taps[name] = joined(whole.taps[name], tap);
  }
  return whole;
}

}  // namespace qspec
