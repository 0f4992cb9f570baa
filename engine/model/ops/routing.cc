#include <ATen/ATen.h>

#include <limits>
#include <utility>
#include <vector>

#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

struct Router {
  at::Tensor weight, bias, correction;  // [E, width]; [E] and [E] or [1, E], or undefined
  int64_t chosen = 1, groups = 1, chosen_groups = 1;
  double jitter = 0, least_sum = 0;
  bool normalize = false, fp32 = false, native_softmax = false;
};

struct Routes {
  at::Tensor experts, shares;  // [N, chosen] each
};

using Score = Routes (*)(const Router&, const at::Tensor&);

// Puts `low` in the place of scores [N, E] outside of the best groups; `best` [N, groups].
at::Tensor in_best_groups(const Router& router, const at::Tensor& scores, const at::Tensor& best,
                          double low) {
  const at::Tensor groups = std::get<1>(best.topk(router.chosen_groups, -1));
  const at::Tensor kept = at::zeros_like(best, at::kBool).scatter_(1, groups, true);
  const at::Tensor experts =
      kept.unsqueeze(2).expand({-1, -1, scores.size(1) / router.groups}).flatten(1);
  return scores.masked_fill(experts.logical_not(), low);
}

at::Tensor by_group(const Router& router, const at::Tensor& scores) {
  return scores.unflatten(1, {router.groups, -1});
}

// Shares of a softmax over all experts; of groups, those with the greatest share are looked at. A
// correction takes part in the choice, not in the share.
Routes softmax_then_top(const Router& router, const at::Tensor& logits) {
  at::Tensor shares = at::softmax(logits, -1, at::kFloat);
  if (router.groups > 1) {
    shares = in_best_groups(router, shares, by_group(router, shares).amax(-1), 0);
  }
  const at::Tensor scores = router.correction.defined() ? shares + router.correction : shares;
  const at::Tensor experts = std::get<1>(scores.topk(router.chosen, -1));
  at::Tensor best = shares.gather(1, experts);
  if (router.normalize) best = best / best.sum(-1, true).clamp_min(router.least_sum);
  return {experts, best};
}

// A softmax over the chosen alone.
Routes top_then_softmax(const Router& router, const at::Tensor& logits) {
  const auto [best, experts] = logits.topk(router.chosen, -1);
  return {experts,
          at::softmax(best, -1, router.native_softmax ? logits.scalar_type() : at::kFloat)};
}

// A sigmoid of each in fp32; a correction takes part in the choice, not in the share. Groups are
// judged by the sum of their best two.
Routes sigmoid(const Router& router, const at::Tensor& logits) {
  const at::Tensor shares = at::sigmoid(logits.to(at::kFloat));
  at::Tensor scores = router.correction.defined() ? shares + router.correction : shares;
  if (router.groups > 1) {
    const at::Tensor best = std::get<0>(by_group(router, scores).topk(2, -1)).sum(-1);
    scores = in_best_groups(router, scores, best, -std::numeric_limits<double>::infinity());
  }
  const at::Tensor experts = std::get<1>(scores.topk(router.chosen, -1));
  at::Tensor chosen = shares.gather(1, experts);
  if (router.normalize) chosen = chosen / (chosen.sum(-1, true) + 1e-20);
  return {experts, chosen};
}

// A sigmoid of the chosen alone, rounded to the dtype of the logits.
Routes top_then_sigmoid(const Router& router, const at::Tensor& logits) {
  const auto [best, experts] = logits.topk(router.chosen, -1);
  return {experts, at::sigmoid(best.to(at::kFloat)).to(logits.scalar_type())};
}

// SparseMixer (arXiv 2409.12136) as it is outside of training: the best expert, then the second
// best, each with its share of a softmax over those that come near it, the better one left out.
Routes sparse_mixer(const Router& router, const at::Tensor& logits) {
  constexpr double kNone = -std::numeric_limits<double>::infinity();
  std::vector<at::Tensor> experts, shares;
  at::Tensor candidates = logits;
  for (int64_t i = 0; i < router.chosen; ++i) {
    const auto [best, expert] = candidates.max(-1, true);
    const at::Tensor distance = (best - logits) / at::maximum(logits.abs(), best);
    const at::Tensor near = candidates.masked_fill(distance.gt(2 * router.jitter), kNone);
    experts.push_back(expert);
    shares.push_back(at::softmax(near, -1).gather(1, expert));
    candidates = candidates.scatter(1, expert, kNone);
  }
  return {at::cat(experts, 1), at::cat(shares, 1)};
}

constexpr std::pair<std::string_view, Score> kScores[] = {
    {"sparse_mixer", sparse_mixer},
    {"top_then_sigmoid", top_then_sigmoid},
    {"softmax_then_top", softmax_then_top},
    {"top_then_softmax", top_then_softmax},
    {"sigmoid", sigmoid},
};

void check_groups(const Attributes& attributes, const Router& router, Score score) {
  const int64_t experts = router.weight.size(0);
  if (experts % router.groups != 0) attributes.fail("groups do not divide the experts");
  if (router.chosen_groups > router.groups) attributes.fail("more groups chosen than there are");
  const int64_t in_group = experts / router.groups;
  if (router.chosen > in_group * router.chosen_groups) {
    attributes.fail("more experts chosen than there are");
  }
  if (score == sigmoid && router.groups > 1 && in_group < 2) {
    attributes.fail("groups of one expert have no best two");
  }
}

Router read_router(Attributes& attributes) {
  constexpr int64_t kMost = 1 << 16;
  const ModuleWeights& module = attributes.dense_module("weight");
  Router router{module.weight, module.bias, {}};
  router.chosen = attributes.integer("chosen", 1, kMost);
  router.groups = attributes.integer("groups", 1, kMost);
  router.chosen_groups = attributes.integer("chosen_groups", 1, kMost);
  router.normalize = attributes.flag("normalize");
  router.native_softmax = attributes.flag("native_softmax");
  router.fp32 = attributes.flag("fp32");
  if (attributes.has("jitter")) router.jitter = attributes.number("jitter");
  if (attributes.has("least_sum")) router.least_sum = attributes.number("least_sum");
  if (attributes.has("correction")) {
    router.correction = attributes.dense_module("correction").weight;
  }
  return router;
}

at::Tensor logits_of(const Router& router, const at::Tensor& tokens) {
  if (!router.fp32) return at::linear(tokens, router.weight, router.bias);
  const auto bias = router.bias.defined() ? router.bias.to(at::kFloat) : router.bias;
  return at::linear(tokens.to(at::kFloat), router.weight.to(at::kFloat), bias);
}

// {op="route", x=, weight=, shape={E, width}, bias=, score=, chosen=, normalize=, least_sum=,
// scale=, fp32=, cast=, native_softmax=, groups=, chosen_groups=, correction=, jitter=,
// out={experts, shares}}: which experts take each of the N tokens of x [B, T, width], and their
// shares, [N, chosen] each. The logits are computed in the dtype of x, or in fp32; shares stay as
// computed, or are cast to the dtype of x.
Operation route(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const auto score = attributes.choice<Score>("score", kScores);
  const Router router = read_router(attributes);
  check_groups(attributes, router, score);
  const double scale = attributes.number("scale");
  const bool cast = attributes.flag("cast");
  const auto out = attributes.outputs("out", 2);
  return [=](Frame& frame) {
    const at::Tensor tokens = frame[x].flatten(0, 1);
    auto [experts, shares] = score(router, logits_of(router, tokens));
    if (scale != 1) shares = shares * scale;
    frame[out[0]] = experts;
    frame[out[1]] = cast ? shares.to(tokens.scalar_type()) : shares;
  };
}

constexpr OpKind kOps[] = {{"route", route}};

}  // namespace

std::span<const OpKind> routing_ops() {
  return kOps;
}

}  // namespace qspec
