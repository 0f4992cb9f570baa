#include <ATen/core/Tensor.h>

#include <array>
#include <utility>

#include "engine/core/error.h"
#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

constexpr int64_t kMost = int64_t{1} << 20;

struct HeadCounts {
  int64_t heads;     // H, of queries
  int64_t kv_heads;  // K, of keys and values
  int64_t width;     // D
};

using Parts = std::array<at::Tensor, 3>;
using Layout = Parts (*)(const at::Tensor&, const HeadCounts&);

at::Tensor per_head(const at::Tensor& x, int64_t heads, int64_t width) {
  return x.view({x.size(0), x.size(1), heads, width});
}

// Rows are [all q | all k | all v].
Parts concatenated(const at::Tensor& x, const HeadCounts& counts) {
  const int64_t q = counts.heads * counts.width, kv = counts.kv_heads * counts.width;
  const auto parts = x.split_with_sizes({q, kv, kv}, -1);
  return {per_head(parts[0], counts.heads, counts.width),
          per_head(parts[1], counts.kv_heads, counts.width),
          per_head(parts[2], counts.kv_heads, counts.width)};
}

// Rows are [q0 k0 v0 | q1 k1 v1 | ...].
Parts interleaved_by_head(const at::Tensor& x, const HeadCounts& counts) {
  const at::Tensor split = x.view({x.size(0), x.size(1), counts.heads, 3, counts.width});
  return {split.select(3, 0), split.select(3, 1), split.select(3, 2)};
}

// Rows are, for each head of keys, [its queries | k | v].
Parts grouped_by_key(const at::Tensor& x, const HeadCounts& counts) {
  const int64_t queries = counts.heads / counts.kv_heads;
  const at::Tensor groups =
      x.view({x.size(0), x.size(1), counts.kv_heads, queries + 2, counts.width});
  return {groups.narrow(3, 0, queries).flatten(2, 3), groups.select(3, queries),
          groups.select(3, queries + 1)};
}

// Rows are four blocks of [q | v | k].
Parts four_blocks(const at::Tensor& x, const HeadCounts& counts) {
  const at::Tensor blocks = x.view({x.size(0), x.size(1), 4, -1});
  const auto parts = blocks.chunk(3, -1);
  const auto heads = [&](const at::Tensor& part) {
    return per_head(part.reshape({x.size(0), x.size(1), -1}), counts.heads, counts.width);
  };
  return {heads(parts[0]), heads(parts[2]), heads(parts[1])};
}

constexpr std::pair<std::string_view, Layout> kLayouts[] = {
    {"codegen", four_blocks},
    {"concat", concatenated},
    {"per_group", grouped_by_key},
    {"per_head", interleaved_by_head},
};

// {op="split_heads", x=, layout=, heads=, kv_heads=, width=, out={q, k, v}}: a fused projection
// [B, T, (H + 2K) D] into [B, H, T, D], [B, K, T, D], [B, K, T, D], which are views.
Operation split_heads(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const auto layout = attributes.choice<Layout>("layout", kLayouts);
  const HeadCounts counts{attributes.integer("heads", 1, kMost),
                          attributes.integer("kv_heads", 1, kMost),
                          attributes.integer("width", 1, kMost)};
  const bool by_head = layout == interleaved_by_head || layout == four_blocks;
  if (by_head && counts.heads != counts.kv_heads) {
    attributes.fail("this layout wants as many kv_heads as heads");
  }
  if (layout == four_blocks && counts.heads % 4 != 0) attributes.fail("heads are not in fours");
  if (counts.heads % counts.kv_heads != 0) attributes.fail("kv_heads do not divide heads");
  const auto out = attributes.outputs("out", 3);
  return [=](Frame& frame) {
    const Parts parts = layout(frame[x], counts);
    for (size_t i = 0; i < parts.size(); ++i) frame[out[i]] = parts[i].transpose(1, 2);
  };
}

// {op="view_heads", x=, width=, out=}: one projection [B, T, H D] -> [B, H, T, D], a view.
Operation view_heads(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const int64_t width = attributes.integer("width", 1, kMost);
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor& flat = frame[x];
    if (flat.size(2) % width != 0) throw Error(ErrorKind::kInternal, "heads of unequal width");
    frame[out] = per_head(flat, flat.size(2) / width, width).transpose(1, 2);
  };
}

// {op="merge_heads", x=, out=}: [B, H, T, D] -> [B, T, H D].
Operation merge_heads(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const Slot out = attributes.output();
  return [=](Frame& frame) { frame[out] = frame[x].transpose(1, 2).flatten(2); };
}

constexpr OpKind kOps[] = {
    {"split_heads", split_heads}, {"view_heads", view_heads}, {"merge_heads", merge_heads}};

}  // namespace

std::span<const OpKind> head_ops() {
  return kOps;
}

}  // namespace qspec
