#include "engine/model/generate.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>

#include "engine/core/error.h"
#include "engine/model/choice.h"
#include "engine/model/logits_rules.h"

namespace qspec {
namespace {

constexpr size_t kCandidates = 8;

// What the next token of one sequence is chosen from.
struct Scored {
  std::span<const int64_t> tokens;  // of the prompt and the output so far
  size_t prompt_length;
  at::Tensor logits;  // [V], as the model rounded them
  at::Tensor hidden;  // [width], what they were made from
};

std::span<float> values_of(at::Tensor& row) {
  return {row.mutable_data_ptr<float>(), static_cast<size_t>(row.numel())};
}

// The scores of a few tokens as they would be had the model not rounded its logits.
std::vector<double> before_rounding(const Model& model, const GenerateOptions& options,
                                    const Scored& scored, const std::vector<int64_t>& tokens) {
  at::Tensor row = scored.logits.to(at::kCPU, at::kFloat);
  const at::Tensor indices = at::tensor(tokens);
  row.index_copy_(0, indices, model.exact_logits(scored.hidden, indices).to(at::kFloat));
  const std::span<float> scores = values_of(row);
  apply_logits_rules(options, scored.tokens, scored.prompt_length, scores);
  std::vector<double> values;
  for (const int64_t token : tokens) values.push_back(scores[static_cast<size_t>(token)]);
  return values;
}

void check_numbers(std::span<const float> scores, size_t step) {
  const auto* bad = std::find_if(scores.data(), scores.data() + scores.size(),
                                 [](float score) { return std::isnan(score); });
  if (bad == scores.data() + scores.size()) return;
  throw Error(ErrorKind::kCheckpoint, "the logit of token " + std::to_string(bad - scores.data()) +
                                          " is not a number at step " + std::to_string(step + 1))
      .hint("a weight or a scale that is not finite, or an overflow of the dtype");
}

// `values` are the scores of `candidates`, of which the first was chosen.
GenerateStep with_margin(GenerateStep step, const std::vector<int64_t>& candidates,
                         const std::vector<double>& values) {
  double best = -std::numeric_limits<double>::infinity();
  step.runner_up = candidates.at(std::min<size_t>(1, candidates.size() - 1));
  for (size_t i = 1; i < candidates.size(); ++i) {
    if (values[i] <= best) continue;
    best = values[i];
    step.runner_up = candidates[i];
  }
  step.margin = std::isinf(best) ? -best : values[0] - best;
  return step;
}

GenerateStep choose(const Model& model, const GenerateOptions& options, const Scored& scored,
                    size_t step) {
  at::Tensor row =
      scored.logits.to(at::kCPU, at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  const std::span<float> scores = values_of(row);
  check_numbers(scores, step);
  apply_logits_rules(options, scored.tokens, scored.prompt_length, scores);
  const std::vector<int64_t> candidates = highest(scores, kCandidates);
  std::vector<double> values;
  if (scored.logits.scalar_type() != at::kFloat) {
    values = before_rounding(model, options, scored, candidates);
  } else {
    for (const int64_t token : candidates) values.push_back(scores[static_cast<size_t>(token)]);
  }
  const float logit = scores[static_cast<size_t>(candidates.front())];
  return with_margin({candidates.front(), logit, 0, 0}, candidates, values);
}

// What the decoder continues: the prompt, or of an encoder-decoder, which reads the prompt as its
// source, the token that every output starts with.
std::vector<int64_t> first_tokens(const Model& model, const std::vector<int64_t>& prompt,
                                  const GenerateOptions& options, KvCache& cache) {
  if (!model.has_encoder()) return prompt;
  if (!options.decoder_start) {
    throw Error(ErrorKind::kSpec, "generation has no decoder_start_token_id")
        .hint("the decoder of an encoder-decoder starts with it; config.json names it");
  }
  model.encode(make_batch({&prompt, 1}, model.vocab_size()), cache);
  return {*options.decoder_start};
}

}  // namespace

Generation generate(const Model& model, const std::vector<int64_t>& prompt,
                    const GenerateOptions& options) {
  const auto steps = static_cast<size_t>(options.max_new_tokens);
  KvCache cache = model.make_cache(static_cast<int64_t>(prompt.size() + steps));
  Generation result{first_tokens(model, prompt, options, cache), {}, false};
  const size_t first = result.ids.size();
  TokenBatch batch = make_batch({&result.ids, 1}, model.vocab_size());
  while (result.steps.size() < steps && !result.met_eos) {
    const RunResult run = model.run(batch, cache, {.taps = {}, .last_position_only = true});
    const Scored scored{result.ids, first, run.logits.view({-1}), run.hidden.view({-1})};
    const GenerateStep& step =
        result.steps.emplace_back(choose(model, options, scored, result.steps.size()));
    result.ids.push_back(step.token);
    result.met_eos =
        std::find(options.eos.begin(), options.eos.end(), step.token) != options.eos.end();
    batch = next_token(step.token, cache.length());
  }
  return result;
}

}  // namespace qspec
