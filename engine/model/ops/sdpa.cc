#include <ATen/ATen.h>

#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

// What a query sees of the keys before it: the last `window` of them, those of its own chunk of
// `chunk` tokens, or all; 0 is no such limit.
struct Reach {
  int64_t window = 0;
  int64_t chunk = 0;

  // By transformers' reckoning, which makes a mask as soon as a window is full.
  bool covers(int64_t length) const {
    return (window == 0 || length < window) && (chunk == 0 || length < chunk);
  }
};

// Which keys [B, 1, T, L] each query may see: earlier ones within reach, and no padding. A query
// that is padding sees itself, so that no row is empty.
at::Tensor visible_keys(const at::Tensor& keys, int64_t queries, const Reach& reach) {
  const int64_t length = keys.size(1);
  const at::Tensor key = at::arange(length, keys.options());
  const at::Tensor query = at::arange(length - queries, length, keys.options()).unsqueeze(1);
  at::Tensor visible = key.le(query);
  if (reach.window > 0) visible = visible.logical_and(key.gt(query - reach.window));
  visible = visible.logical_and(keys.ne(0).unsqueeze(1));
  if (reach.chunk > 0) {
    const at::Tensor chunks = (keys.cumsum(1) - 1).floor_divide(reach.chunk);  // padding: -1
    const at::Tensor own = chunks.narrow(1, length - queries, queries).unsqueeze(2);
    visible = visible.logical_and(chunks.unsqueeze(1).eq(own));
  }
  return visible.logical_or(key.eq(query)).unsqueeze(1);
}

// Whether causality alone says it, which the kernels know without a mask.
bool is_plainly_causal(const at::Tensor& keys, int64_t queries, const Reach& reach) {
  const int64_t length = keys.size(1);
  return (queries == 1 || queries == length) && reach.covers(length) &&
         keys.ne(0).all().item<bool>();
}

// {op="attention_mask", keys=, like=, window=, chunk=, cached=, always=, out=}: true where a key is
// visible, [B, 1, T, L], or nothing where the kernels need no mask, as transformers has it: another
// kernel rounds otherwise. keys [B, L]; like [B, T, width]. Fewer keys where the cache has the
// window `cached`.
Operation attention_mask(Attributes& attributes) {
  const Slot keys = attributes.input("keys"), like = attributes.input("like");
  const Reach reach{attributes.window("window"), attributes.window("chunk")};
  const int64_t cached = attributes.window("cached");
  const bool always = attributes.flag("always");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const int64_t length = frame[keys].size(1), queries = frame[like].size(1);
    if (always || !is_plainly_causal(frame[keys], queries, reach)) {
      frame[out] = visible_keys(frame[keys], queries, reach)
                       .slice(3, first_in_window(length - queries, cached));
    }
  };
}

// {op="token_mask", keys=, out=}: true where a key is no padding, [B, 1, 1, L], or nothing where
// none is padding. For queries that see all keys, before and behind them.
Operation token_mask(Attributes& attributes) {
  const Slot keys = attributes.input("keys");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor tokens = frame[keys].ne(0);
    if (!tokens.all().item<bool>()) frame[out] = tokens.unsqueeze(1).unsqueeze(1);
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

constexpr OpKind kOps[] = {
    {"attention_mask", attention_mask}, {"token_mask", token_mask}, {"sdpa", sdpa}};

}  // namespace

std::span<const OpKind> sdpa_ops() {
  return kOps;
}

}  // namespace qspec
