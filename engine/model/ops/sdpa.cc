#include <ATen/ATen.h>

#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

// Which keys [B, 1, T, L] each query may see: earlier ones, of the last `window` when that is not
// 0, and no padding. A query that is padding sees itself, so that no row is empty.
at::Tensor visible_keys(const at::Tensor& keys, int64_t queries, int64_t window) {
  const int64_t length = keys.size(1);
  const at::Tensor key = at::arange(length, keys.options());
  const at::Tensor query = at::arange(length - queries, length, keys.options()).unsqueeze(1);
  at::Tensor visible = key.le(query);
  if (window > 0) visible = visible.logical_and(key.gt(query - window));
  const at::Tensor tokens = keys.ne(0).unsqueeze(1);
  return visible.logical_and(tokens).logical_or(key.eq(query)).unsqueeze(1);
}

// Whether causality alone says it, which the kernels know without a mask.
bool is_plainly_causal(const at::Tensor& keys, int64_t queries, int64_t window) {
  const int64_t length = keys.size(1);
  return (queries == 1 || queries == length) && (window == 0 || length <= window) &&
         keys.ne(0).all().item<bool>();
}

// {op="attention_mask", keys=, like=, window=, always=, out=}: true where a key is visible,
// [B, 1, T, L], or nothing where the kernels need no mask, as transformers has it: another kernel
// rounds otherwise. keys [B, L]; like [B, T, width]; window 0 is none.
Operation attention_mask(Attributes& attributes) {
  constexpr int64_t kMostWindow = int64_t{1} << 40;
  const Slot keys = attributes.input("keys"), like = attributes.input("like");
  const int64_t window = attributes.integer("window", 0, kMostWindow);
  const bool always = attributes.flag("always");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const int64_t queries = frame[like].size(1);
    if (always || !is_plainly_causal(frame[keys], queries, window)) {
      frame[out] = visible_keys(frame[keys], queries, window);
    }
  };
}

// {op="sdpa", q=, k=, v=, mask=, scale=, broadcast=, out=}: LibTorch's fused attention.
// q [B, H, T, D], k and v [B, K, L, D] -> [B, H, T, D]. Heads of keys and values are repeated by
// the kernel when there is no mask, and before it when there is one; with broadcast never.
Operation sdpa(Attributes& attributes) {
  const Slot q = attributes.input("q"), k = attributes.input("k"), v = attributes.input("v");
  const Slot mask = attributes.input("mask");
  const double scale = attributes.number("scale");
  const bool broadcast = attributes.flag("broadcast");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    at::Tensor keys = frame[k], values = frame[v];
    const at::Tensor& queries = frame[q];
    const int64_t groups = queries.size(1) / keys.size(1);
    std::optional<at::Tensor> visible;
    if (frame[mask].defined()) visible = frame[mask];
    if (visible && groups > 1 && !broadcast) {
      keys = keys.repeat_interleave(groups, 1);
      values = values.repeat_interleave(groups, 1);
    }
    const bool is_causal = !visible && queries.size(2) > 1;
    const bool grouped = !visible && groups > 1;
    frame[out] = at::scaled_dot_product_attention(queries, keys, values, visible, 0.0, is_causal,
                                                  scale, grouped);
  };
}

constexpr OpKind kOps[] = {{"attention_mask", attention_mask}, {"sdpa", sdpa}};

}  // namespace

std::span<const OpKind> sdpa_ops() {
  return kOps;
}

}  // namespace qspec
