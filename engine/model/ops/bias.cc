#include <ATen/ATen.h>

#include <limits>
#include <vector>

#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

constexpr int64_t kMostHeads = 1 << 20;

// base^first, base^(first + step), ..., `count` of them, by the power function that transformers
// calls: a correctly rounded one differs in the last bit for some.
at::Tensor powers(Attributes& attributes, const Json& series) {
  const auto field = [&](const char* name) {
    if (!series.is_object() || !series.contains(name) || !series[name].is_number()) {
      attributes.fail("attribute 'slopes' wants a list of {base, first, step, count}");
    }
    return series[name].get<double>();
  };
  const double first = field("first"), step = field("step"), count = field("count");
  if (!(count >= 1 && count <= kMostHeads && step >= 1 && step <= kMostHeads && first >= 0 &&
        first <= kMostHeads)) {
    attributes.fail("attribute 'slopes' is out of range");
  }
  const at::Tensor base = at::full({}, field("base"), at::kFloat);
  return at::pow(base, at::arange(first, first + step * count, step, at::kInt));
}

// {op="alibi", keys=, slopes={{base=, first=, step=, count=}, ...}, like=, out=}: slope times
// position of the key, in the dtype of `like`. keys [B, L], 1 for a token and 0 for padding, which
// takes no position -> [B H, 1, L]. Not relative to the query: softmax does not see the difference.
Operation alibi(Attributes& attributes) {
  std::vector<at::Tensor> parts;
  for (const Json& series : attributes.value("slopes")) parts.push_back(powers(attributes, series));
  if (parts.empty()) attributes.fail("attribute 'slopes' is empty");
  const at::Tensor slopes = at::cat(parts).unsqueeze(1);
  const Slot keys = attributes.input("keys"), like = attributes.input("like");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor positions = (frame[keys].cumsum(-1) - 1).mul_(frame[keys]);
    const at::Tensor bias = slopes * positions.unsqueeze(1);
    frame[out] = bias.flatten(0, 1).unsqueeze(1).to(frame[like].scalar_type());
  };
}

double lowest(at::ScalarType dtype) {
  if (dtype == at::kHalf) return std::numeric_limits<c10::Half>::lowest();
  if (dtype == at::kBFloat16) return std::numeric_limits<c10::BFloat16>::lowest();
  return std::numeric_limits<float>::lowest();
}

// Which keys [B, 1, T, L] a query must not see: later ones and padding.
at::Tensor hidden_keys(const at::Tensor& keys, int64_t queries) {
  const int64_t length = keys.size(1);
  const at::Tensor key = at::arange(length);
  const at::Tensor query = at::arange(length - queries, length).unsqueeze(1);
  return key.gt(query).logical_or(keys.eq(0).unsqueeze(1)).unsqueeze(1);
}

// {op="causal_mask", keys=, like=, out=}: what to add to scores: the lowest number of the dtype of
// `like` [B, T, width] where a key is hidden, 0 elsewhere. [B, 1, T, L].
Operation causal_mask(Attributes& attributes) {
  const Slot keys = attributes.input("keys"), like = attributes.input("like");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor& x = frame[like];
    const at::Tensor hidden = hidden_keys(frame[keys], x.size(1));
    frame[out] =
        at::zeros(hidden.sizes(), x.options()).masked_fill_(hidden, lowest(x.scalar_type()));
  };
}

constexpr OpKind kOps[] = {{"alibi", alibi}, {"causal_mask", causal_mask}};

}  // namespace

std::span<const OpKind> bias_ops() {
  return kOps;
}

}  // namespace qspec
