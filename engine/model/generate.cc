#include "engine/model/generate.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>

#include "engine/core/error.h"
#include "engine/model/logits_rules.h"

namespace qspec {
namespace {

// The two best in one pass. Equal logits go to the first, as argmax has it.
GenerateStep choose(std::span<const float> scores) {
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  size_t best = 0, second = scores.size() > 1 ? 1 : 0;
  if (scores[second] > scores[best]) std::swap(best, second);
  for (size_t i = 2; i < scores.size(); ++i) {
    if (scores[i] > scores[best]) {
      second = best;
      best = i;
    } else if (scores[i] > scores[second]) {
      second = i;
    }
  }
  const float margin = scores[second] == kNone ? std::numeric_limits<float>::infinity()
                                               : scores[best] - scores[second];
  return {static_cast<int64_t>(best), scores[best], margin, static_cast<int64_t>(second)};
}

void check_numbers(std::span<const float> scores, size_t step) {
  const auto* bad = std::find_if(scores.data(), scores.data() + scores.size(),
                                 [](float score) { return std::isnan(score); });
  if (bad == scores.data() + scores.size()) return;
  throw Error(ErrorKind::kCheckpoint, "the logit of token " + std::to_string(bad - scores.data()) +
                                          " is not a number at step " + std::to_string(step + 1))
      .hint("a weight or a scale that is not finite, or an overflow of the dtype");
}

}  // namespace

Generation generate(const Model& model, const std::vector<int64_t>& prompt,
                    const GenerateOptions& options) {
  Generation result{prompt, {}, false};
  TokenBatch batch = make_batch({&prompt, 1}, model.vocab_size());
  const auto steps = static_cast<size_t>(options.max_new_tokens);
  KvCache cache = model.make_cache(static_cast<int64_t>(prompt.size() + steps));
  while (result.steps.size() < steps && !result.met_eos) {
    const RunResult run = model.run(batch, cache, {.taps = {}, .last_position_only = true});
    at::Tensor row = run.logits.view({-1}).to(at::kCPU, at::kFloat, /*non_blocking=*/false,
                                              /*copy=*/true);
    const std::span<float> scores(row.mutable_data_ptr<float>(), static_cast<size_t>(row.numel()));
    check_numbers(scores, result.steps.size());
    apply_logits_rules(options, result.ids, prompt.size(), scores);
    const GenerateStep& step = result.steps.emplace_back(choose(scores));
    result.ids.push_back(step.token);
    result.met_eos =
        std::find(options.eos.begin(), options.eos.end(), step.token) != options.eos.end();
    batch = next_token(step.token, cache.length());
  }
  return result;
}

}  // namespace qspec
