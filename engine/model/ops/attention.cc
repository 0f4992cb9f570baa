#include <ATen/ATen.h>

#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

// [B, H, M, N] as [B H, M, N], without a copy where the strides allow it.
at::Tensor batched(const at::Tensor& x) {
  return x.flatten(0, 1);
}

// {op="cache", layer=, k=, v=, out={k, v}}: [B, K, T, D] each -> all seen so far, [B, K, L, D].
Operation cache(Attributes& attributes) {
  const int64_t layer = attributes.layer();
  const Slot k = attributes.input("k"), v = attributes.input("v");
  const auto out = attributes.outputs("out", 2);
  return [=](Frame& frame) {
    std::tie(frame[out[0]], frame[out[1]]) = frame.cache.append(layer, frame[k], frame[v]);
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

// {op="softmax", x=, out=}: over the last dimension in fp32, then in the dtype of x again.
Operation softmax(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    frame[out] = at::softmax(frame[x], -1, at::kFloat).to(frame[x].scalar_type());
  };
}

// {op="weighted_values", weights=, v=, out=}: [B, H, T, L] times [B, H, L, D] -> [B, H, T, D].
Operation weighted_values(Attributes& attributes) {
  const Slot weights = attributes.input("weights"), v = attributes.input("v");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor& values = frame[v];
    const at::Tensor sum = at::bmm(batched(frame[weights]), batched(values));
    frame[out] = sum.view({values.size(0), values.size(1), sum.size(1), sum.size(2)});
  };
}

constexpr OpKind kOps[] = {{"cache", cache},
                           {"biased_scores", biased_scores},
                           {"softmax", softmax},
                           {"weighted_values", weighted_values}};

}  // namespace

std::span<const OpKind> attention_ops() {
  return kOps;
}

}  // namespace qspec
