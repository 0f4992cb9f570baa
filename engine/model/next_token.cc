#include "engine/model/next_token.h"

#include <ATen/Parallel.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/model/choice.h"
#include "engine/model/logits_rules.h"

namespace qspec {
namespace {

constexpr size_t kCandidates = 8;

std::span<float> values_of(at::Tensor& row) {
  return {row.mutable_data_ptr<float>(), static_cast<size_t>(row.numel())};
}

at::Tensor after_rules(const GenerateOptions& options, std::span<const int64_t> tokens,
                       size_t prompt_length, const at::Tensor& logits) {
  at::Tensor row =
      logits.to(at::kCPU, at::kFloat, /*non_blocking=*/false, /*copy=*/true).contiguous();
  apply_logits_rules(options, tokens, prompt_length, values_of(row));
  return row;
}

void check_numbers(const NextLogits& next) {
  if (!next.logits.isnan().any().item<bool>()) return;
  const auto token = next.logits.isnan().nonzero()[0].item<int64_t>();
  const size_t step = next.tokens.size() - next.prompt_length + 1;
  throw Error(ErrorKind::kCheckpoint, "the logit of token " + std::to_string(token) +
                                          " is not a number at step " + std::to_string(step))
      .hint("a weight or a scale that is not finite, or an overflow of the dtype");
}

// The scores of `tokens` as they would be had the model not rounded its logits.
std::vector<double> before_rounding(const Model& model, const GenerateOptions& options,
                                    const NextLogits& next, const at::Tensor& scores,
                                    const std::vector<int64_t>& tokens) {
  at::Tensor row = scores;
  if (next.logits.scalar_type() != at::kFloat) {
    const at::Tensor indices = at::tensor(tokens);
    const at::Tensor exact = model.exact_logits(next.hidden, indices).to(at::kFloat);
    row = next.logits.to(at::kCPU, at::kFloat).index_copy_(0, indices, exact);
    apply_logits_rules(options, next.tokens, next.prompt_length, values_of(row));
  }
  std::vector<double> values;
  for (const int64_t token : tokens) values.push_back(row[token].item<float>());
  return values;
}

// The chosen token and the best of the others.
std::vector<int64_t> candidates_of(const at::Tensor& scores, int64_t chosen) {
  std::vector<int64_t> candidates =
      highest({scores.const_data_ptr<float>(), static_cast<size_t>(scores.numel())}, kCandidates);
  candidates.erase(std::remove(candidates.begin(), candidates.end(), chosen), candidates.end());
  candidates.insert(candidates.begin(), chosen);
  return candidates;
}

// `values` are the scores of `candidates`, of which the first was chosen.
void set_margin(GenerateStep& step, const std::vector<int64_t>& candidates,
                const std::vector<double>& values) {
  double best = -std::numeric_limits<double>::infinity();
  step.runner_up = candidates.at(std::min<size_t>(1, candidates.size() - 1));
  for (size_t i = 1; i < candidates.size(); ++i) {
    if (values[i] <= best) continue;
    best = values[i];
    step.runner_up = candidates[i];
  }
  step.margin = std::isinf(best) ? -best : values[0] - best;
}

// What the logits alone say of one row.
struct Highest {
  std::vector<int64_t> candidates;  // the best first; none where a logit is not a number
  std::vector<double> scores;       // of the candidates
  double log_sum = 0;               // the logarithm of the sum of exponentials
};

Highest highest_of(const at::Tensor& logits) {
  const at::Tensor row = logits.to(at::kFloat).contiguous();
  const std::span<const float> scores(row.const_data_ptr<float>(),
                                      static_cast<size_t>(row.numel()));
  if (std::any_of(scores.begin(), scores.end(), [](float x) { return std::isnan(x); })) return {};
  Highest found{highest(scores, kCandidates), {}, 0};
  for (const int64_t token : found.candidates) {
    found.scores.push_back(scores[static_cast<size_t>(token)]);
  }
  double sum = 0;
  for (const float score : scores) sum += std::exp(double{score} - found.scores.front());
  found.log_sum = found.scores.front() + std::log(sum);
  return found;
}

// The candidates of all rows, as they would be scored had the model not rounded its logits.
void take_exact(const Model& model, const at::Tensor& hidden, std::vector<Highest>& rows) {
  std::vector<int64_t> tokens;
  for (const Highest& row : rows) {
    tokens.insert(tokens.end(), row.candidates.begin(), row.candidates.end());
  }
  if (tokens.empty()) return;
  const at::Tensor exact = model.exact_logits(hidden, at::tensor(tokens));  // [N, all of them]
  const auto* values = exact.contiguous().const_data_ptr<double>();
  size_t at = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    for (double& score : rows[i].scores) {
      score = static_cast<float>(values[i * tokens.size() + at++]);
    }
  }
}

}  // namespace

std::vector<std::optional<GenerateStep>> choose_highest(const Model& model,
                                                        const at::Tensor& logits,
                                                        const at::Tensor& hidden) {
  std::vector<Highest> rows(static_cast<size_t>(logits.size(0)));
  at::parallel_for(0, logits.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) rows[static_cast<size_t>(i)] = highest_of(logits[i]);
  });
  std::vector<std::optional<GenerateStep>> steps(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].candidates.empty()) continue;
    GenerateStep& step = steps[i].emplace();
    step.token = rows[i].candidates.front();
    step.logit = static_cast<float>(rows[i].scores.front());
    step.logprob = rows[i].scores.front() - rows[i].log_sum;
  }
  if (logits.scalar_type() != at::kFloat) take_exact(model, hidden, rows);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (steps[i]) set_margin(*steps[i], rows[i].candidates, rows[i].scores);
  }
  return steps;
}

GenerateStep choose(const Model& model, const GenerateOptions& options, const NextLogits& next,
                    double uniform) {
  if (!options.remove_invalid) check_numbers(next);
  const at::Tensor scores = after_rules(options, next.tokens, next.prompt_length, next.logits);
  const at::Tensor left = options.sampling ? filtered(*options.sampling, scores) : scores;
  const std::span<const float> shares(left.const_data_ptr<float>(),
                                      static_cast<size_t>(left.numel()));
  const int64_t chosen = options.sampling ? draw(left, uniform) : highest(shares, 1).front();
  GenerateStep step;
  step.token = chosen;
  step.logit = scores[chosen].item<float>();
  step.logprob =
      shares[static_cast<size_t>(chosen)] - at::logsumexp(left.to(at::kDouble), 0).item<double>();
  const std::vector<int64_t> candidates = candidates_of(scores, chosen);
  set_margin(step, candidates, before_rounding(model, options, next, scores, candidates));
  return step;
}

at::Tensor processed_scores(const GenerateOptions& options, std::span<const int64_t> tokens,
                            size_t prompt_length, const at::Tensor& logits) {
  const at::Tensor scores = after_rules(options, tokens, prompt_length, logits);
  return options.sampling ? filtered(*options.sampling, scores) : scores;
}

}  // namespace qspec
