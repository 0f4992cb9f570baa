#include "engine/model/sampling.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace qspec {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr int64_t kMostOfTopH = 100;

// Sorted places back to those of tokens.
at::Tensor unsorted(const at::Tensor& flags, const at::Tensor& indices) {
  return flags.scatter(0, indices, flags);
}

// As torch.distributions.Categorical has it: a cumulative sum is compared with it, bit for bit.
at::Tensor entropy(const at::Tensor& scores) {
  const at::Tensor logarithms = scores - scores.logsumexp(0);
  constexpr float kLeast = std::numeric_limits<float>::lowest();
  return (logarithms.clamp_min(kLeast) * at::softmax(logarithms, 0)).sum().neg();
}

at::Tensor outside_top_h(const at::Tensor& scores, double share) {
  const auto [best, indices] = scores.topk(std::min(kMostOfTopH, scores.numel()));
  const at::Tensor probabilities = at::softmax(best - best.logsumexp(0), 0);
  const at::Tensor terms = -probabilities * probabilities.log();
  at::Tensor kept = terms.cumsum(0).le(entropy(best) * share);
  kept[0] = true;
  return at::ones_like(scores, at::kBool).scatter(0, indices, kept.logical_not());
}

at::Tensor outside_top_k(const at::Tensor& scores, int64_t count) {
  const auto best = std::get<0>(scores.topk(std::min(count, scores.numel())));
  return scores.lt(best[-1]);
}

at::Tensor outside_top_p(const at::Tensor& scores, double mass) {
  const auto [values, indices] = scores.sort();
  at::Tensor removed = at::softmax(values, 0).cumsum(0).le(1 - mass);
  removed[-1] = false;
  return unsorted(removed, indices);
}

at::Tensor below_min_p(const at::Tensor& scores, double share) {
  const at::Tensor probabilities = at::softmax(scores, 0);
  at::Tensor removed = probabilities.lt(probabilities.amax() * share);
  removed[probabilities.argmax()] = false;
  return removed;
}

at::Tensor outside_typical_p(const at::Tensor& scores, double mass) {
  const at::Tensor logarithms = at::log_softmax(scores, 0);
  const at::Tensor mean = (logarithms * logarithms.exp()).nansum().neg();
  const at::Tensor surprise = (logarithms.neg() - mean).abs();
  const auto [values, indices] = surprise.sort();
  const at::Tensor cumulative = at::softmax(scores.gather(0, indices), 0).cumsum(0);
  const at::Tensor last = cumulative.lt(mass).sum().clamp_max(scores.numel() - 1);
  at::Tensor removed = values.gt(values.gather(0, last.view({1})));
  removed[0] = false;
  return unsorted(removed, indices);
}

// The best token stays, whatever the limit is.
at::Tensor below(const at::Tensor& scores, const at::Tensor& limit) {
  return at::softmax(scores, 0).lt(limit).logical_and_(scores.lt(scores.amax()));
}

at::Tensor below_eta(const at::Tensor& scores, double epsilon) {
  const at::Tensor limit = at::full({}, epsilon, at::kFloat);
  return below(scores, at::minimum(limit, limit.sqrt() * entropy(scores).neg().exp()));
}

}  // namespace

at::Tensor filtered(const Sampling& sampling, const at::Tensor& scores) {
  at::Tensor left = sampling.temperature == 1 ? scores : scores / sampling.temperature;
  const auto remove = [&](const at::Tensor& removed) { left = left.masked_fill(removed, kNever); };
  if (sampling.top_h > 0) remove(outside_top_h(left, sampling.top_h));
  if (sampling.top_k > 0) remove(outside_top_k(left, sampling.top_k));
  if (sampling.top_p < 1) remove(outside_top_p(left, sampling.top_p));
  if (sampling.min_p > 0) remove(below_min_p(left, sampling.min_p));
  if (sampling.typical_p < 1) remove(outside_typical_p(left, sampling.typical_p));
  if (sampling.epsilon_cutoff > 0) {
    remove(below(left, at::full({}, sampling.epsilon_cutoff, at::kFloat)));
  }
  if (sampling.eta_cutoff > 0) remove(below_eta(left, sampling.eta_cutoff));
  return left;
}

int64_t draw(const at::Tensor& scores, double uniform) {
  const at::Tensor probabilities = at::softmax(scores.to(at::kDouble), 0);
  const double* values = probabilities.const_data_ptr<double>();
  double sum = 0;
  int64_t last = 0;  // that can be drawn, where rounding keeps the sum under 1
  for (int64_t i = 0; i < probabilities.numel(); ++i) {
    if (values[i] <= 0) continue;
    sum += values[i];
    last = i;
    if (sum > uniform) break;
  }
  return last;
}

}  // namespace qspec
