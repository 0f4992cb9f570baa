#include <ATen/ATen.h>

#include <limits>
#include <vector>

#include "engine/model/ops/alibi_slopes.h"
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

// Of keys [B, L]; padding has 0.
at::Tensor token_positions(const at::Tensor& keys) {
  return (keys.cumsum(-1) - 1).mul_(keys);
}

// {op="alibi", keys=, slopes={{base=, first=, step=, count=}, ...}, like=, out=}: slope times
// position of the key, in the dtype of `like`. keys [B, L], 1 for a token and 0 for padding, which
// takes no position -> [B H, 1, L]. Not relative to the query: softmax does not see the difference.
Operation alibi(Attributes& attributes) {
  const at::Tensor slopes = alibi_slopes(attributes);
  const Slot keys = attributes.input("keys"), like = attributes.input("like");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor positions = token_positions(frame[keys]);
    const at::Tensor bias = slopes.to(positions.device()) * positions.unsqueeze(1);
    frame[out] = bias.flatten(0, 1).unsqueeze(1).to(frame[like].scalar_type());
  };
}

double lowest(at::ScalarType dtype) {
  if (dtype == at::kHalf) return std::numeric_limits<c10::Half>::lowest();
  if (dtype == at::kBFloat16) return std::numeric_limits<c10::BFloat16>::lowest();
  return std::numeric_limits<float>::lowest();
}

// Which keys [B, 1, T, L] a query must not see: later ones, padding, and those before the last
// `window` when that is not 0.
at::Tensor hidden_keys(const at::Tensor& keys, int64_t queries, int64_t window) {
  const int64_t length = keys.size(1);
  const at::Tensor key = at::arange(length, keys.options());
  const at::Tensor query = at::arange(length - queries, length, keys.options()).unsqueeze(1);
  at::Tensor hidden = key.gt(query);
  if (window > 0) hidden = hidden.logical_or(key.le(query - window));
  return hidden.logical_or(keys.eq(0).unsqueeze(1)).unsqueeze(1);
}

// {op="causal_mask", keys=, like=, window=, cached=, out=}: what to add to scores: the lowest
// number of the dtype of `like` [B, T, width] where a key is hidden, 0 elsewhere. [B, 1, T, L], or
// fewer keys where the cache has that window.
Operation causal_mask(Attributes& attributes) {
  const Slot keys = attributes.input("keys"), like = attributes.input("like");
  const int64_t window = attributes.window("window"), cached = attributes.window("cached");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor& x = frame[like];
    const int64_t length = frame[keys].size(1), queries = x.size(1);
    const at::Tensor hidden = hidden_keys(frame[keys], queries, window)
                                  .slice(3, first_in_window(length - queries, cached));
    frame[out] =
        at::zeros(hidden.sizes(), x.options()).masked_fill_(hidden, lowest(x.scalar_type()));
  };
}

// {op="alibi_mask", keys=, mask=, slopes=, divide=, like=, out=}: a mask [B, 1, T, L] of the keys
// that are visible, as what to add to scores: there slope times position, slopes and product in
// bfloat16, divided, and elsewhere the lowest number of the dtype of `like`. [B, H, T, L].
Operation alibi_mask(Attributes& attributes) {
  const at::Tensor slopes = alibi_slopes(attributes).to(at::kBFloat16);
  const Slot keys = attributes.input("keys"), mask = attributes.input("mask");
  const Slot like = attributes.input("like");
  const double divisor = attributes.number("divide");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const auto dtype = frame[like].scalar_type();
    const at::Tensor positions = token_positions(frame[keys]);
    const at::Tensor rounded = slopes.to(positions.device()) * positions.unsqueeze(1);
    const at::Tensor bias = rounded.to(dtype).unsqueeze(2) / divisor;
    frame[out] = at::where(frame[mask], bias, at::full({}, lowest(dtype), bias.options()));
  };
}

// {op="masked_bias", bias=, mask=, out=}: the bias where the mask is true, and the lowest number of
// its dtype elsewhere; without a mask the bias itself.
Operation masked_bias(Attributes& attributes) {
  const Slot bias = attributes.input("bias"), mask = attributes.input("mask");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor& given = frame[bias];
    const at::Tensor low = at::full({}, lowest(given.scalar_type()), given.options());
    frame[out] = frame[mask].defined() ? at::where(frame[mask], given, low) : given;
  };
}

// Of the MPT models: 2^(-i * steepest / p) for i of 1..p, p the next power of two; of heads that
// are none, every second of them first.
at::Tensor steep_slopes(int64_t heads, double steepest) {
  int64_t power = 1;
  while (power < heads) power *= 2;
  const at::Tensor exponents =
      at::arange(1, power + 1, at::kLong).to(at::kFloat) * (steepest / static_cast<double>(power));
  const at::Tensor slopes = at::pow(2, exponents).reciprocal();
  if (power == heads) return slopes;
  return at::cat({slopes.slice(0, 1, power, 2), slopes.slice(0, 0, power, 2)}).slice(0, 0, heads);
}

// {op="relative_alibi", keys=, heads=, steepest=, out=}: slope times the distance of each key from
// the last, in fp32. keys [B, L] -> [1, H, 1, L].
Operation relative_alibi(Attributes& attributes) {
  const Slot keys = attributes.input("keys");
  const int64_t heads = attributes.integer("heads", 1, kMostHeads);
  const at::Tensor slopes = steep_slopes(heads, attributes.number("steepest"));
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const int64_t length = frame[keys].size(1);
    const auto options = frame[keys].options().dtype(at::kInt);
    const at::Tensor distances = at::arange(1 - length, 1, options);
    frame[out] = (slopes.to(options.device()).unsqueeze(1) * distances).unsqueeze(1).unsqueeze(0);
  };
}

constexpr OpKind kOps[] = {{"alibi", alibi},
                           {"causal_mask", causal_mask},
                           {"alibi_mask", alibi_mask},
                           {"masked_bias", masked_bias},
                           {"relative_alibi", relative_alibi}};

}  // namespace

at::Tensor alibi_slopes(Attributes& attributes) {
  std::vector<at::Tensor> parts;
  for (const Json& series : attributes.value("slopes")) parts.push_back(powers(attributes, series));
  if (parts.empty()) attributes.fail("attribute 'slopes' is empty");
  return at::cat(parts).unsqueeze(1);
}

std::span<const OpKind> bias_ops() {
  return kOps;
}

}  // namespace qspec
