#include <ATen/ATen.h>

#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

// [B, H, M, N] as [B H, M, N], without a copy where the strides allow it.
at::Tensor batched(const at::Tensor& x) {
  return x.flatten(0, 1);
}

// Each head of keys or values [B, K, L, D] as often as queries share it: [B, H, L, D].
at::Tensor for_heads(const at::Tensor& x, int64_t heads) {
  const int64_t groups = heads / x.size(1);
  return groups > 1 ? x.repeat_interleave(groups, 1) : x;
}

// {op="cache", layer=, k=, v=, window=, out={k, v}}: [B, K, T, D] each -> all seen so far, or with
// a window those that one of the T tokens may see, [B, K, L, D].
Operation cache(Attributes& attributes) {
  const int64_t layer = attributes.layer();
  const Slot k = attributes.input("k"), v = attributes.input("v");
  const int64_t window = attributes.window("window");
  const auto out = attributes.outputs("out", 2);
  return [=](Frame& frame) {
    std::tie(frame[out[0]], frame[out[1]]) = frame.cache.append(layer, frame[k], frame[v], window);
  };
}

// {op="biased_scores", q=, k=, bias=, scale=, out=}: bias + scale * q k^T as one fused product,
// which rounds once. q [B, H, T, D], k [B, H, L, D], bias [B H, 1 or T, L] -> [B, H, T, L].
Operation biased_scores(Attributes& attributes) {
  const Slot q = attributes.input("q"), k = attributes.input("k"), bias = attributes.input("bias");
  const double scale = attributes.number("scale");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor& queries = frame[q];
    const at::Tensor scores =
        at::baddbmm(frame[bias], batched(queries), batched(frame[k]).transpose(1, 2), 1.0, scale);
    frame[out] = scores.view({queries.size(0), queries.size(1), scores.size(1), scores.size(2)});
  };
}

// {op="scores", q=, k=, scale= or divide=, fp32=, out=}: q k^T, rounded, then times scale or
// divided. q [B, H, T, D], k [B, K, L, D] -> [B, H, T, L], in fp32 when asked for.
Operation scores(Attributes& attributes) {
  const Slot q = attributes.input("q"), k = attributes.input("k");
  const bool divides = attributes.has("divide");
  const double by = attributes.number(divides ? "divide" : "scale");
  const bool fp32 = attributes.flag("fp32");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    at::Tensor queries = frame[q], keys = for_heads(frame[k], queries.size(1));
    if (fp32) queries = queries.to(at::kFloat), keys = keys.to(at::kFloat);
    const at::Tensor product = at::matmul(queries, keys.transpose(2, 3));
    // Not in place: LibTorch would round the number to the dtype first.
    frame[out] = divides ? at::div(product, by) : at::mul(product, by);
  };
}

// {op="softmax", x=, like=, out=}: over the last dimension in fp32, then in the dtype of `like`, or
// of x when there is none.
Operation softmax(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const Slot like = attributes.has("like") ? attributes.input("like") : x;
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    frame[out] = at::softmax(frame[x], -1, at::kFloat).to(frame[like].scalar_type());
  };
}

// {op="sink_softmax", x=, weight=, shape={H}, out=}: softmax of scores [B, H, T, L] and one more of
// each head, which takes its share and is dropped. In the dtype of x.
Operation sink_softmax(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const at::Tensor sinks = attributes.dense_module("weight").weight;
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor& given = frame[x];
    const at::Tensor column = sinks.to(given.scalar_type())
                                  .view({1, -1, 1, 1})
                                  .expand({given.size(0), -1, given.size(2), 1});
    at::Tensor all = at::cat({given, column}, -1);
    all = all - all.amax(-1, true);
    frame[out] = at::softmax(all, -1).narrow(-1, 0, given.size(-1));
  };
}

// {op="weighted_values", weights=, v=, out=}: [B, H, T, L] times [B, K, L, D] -> [B, H, T, D].
Operation weighted_values(Attributes& attributes) {
  const Slot weights = attributes.input("weights"), v = attributes.input("v");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor& shares = frame[weights];
    const at::Tensor values = for_heads(frame[v], shares.size(1));
    const at::Tensor sum = at::bmm(batched(shares), batched(values));
    frame[out] = sum.view({values.size(0), values.size(1), sum.size(1), sum.size(2)});
  };
}

// {op="query_temperature", x=, positions=, beta=, original=, first=, precise=, out=}: queries
// [B, H, T, D] times 1 + beta * log(1 + floor((position + first) / original)), the factor rounded
// to the dtype of x, or, when precise, the product alone.
Operation query_temperature(Attributes& attributes) {
  const Slot x = attributes.input("x"), positions = attributes.input("positions");
  const double beta = attributes.number("beta"), original = attributes.number("original");
  const int64_t first = attributes.has("first") ? attributes.integer("first", 0, 1) : 0;
  const bool precise = attributes.flag("precise");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor turns = at::floor((frame[positions] + first) / original);
    const at::Tensor factor = (at::log(turns + 1) * beta + 1).unsqueeze(1).unsqueeze(3);
    const auto dtype = frame[x].scalar_type();
    frame[out] = (frame[x] * (precise ? factor : factor.to(dtype))).to(dtype);
  };
}

constexpr OpKind kOps[] = {{"cache", cache},
                           {"biased_scores", biased_scores},
                           {"scores", scores},
                           {"softmax", softmax},
                           {"sink_softmax", sink_softmax},
                           {"weighted_values", weighted_values},
                           {"query_temperature", query_temperature}};

}  // namespace

std::span<const OpKind> attention_ops() {
  return kOps;
}

}  // namespace qspec
