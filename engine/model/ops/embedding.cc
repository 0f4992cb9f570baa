#include <ATen/ATen.h>

#include <cmath>

#include "engine/core/error.h"
#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

constexpr int64_t kMostOffset = 1 << 20;

void check_rows(const at::Tensor& ids, int64_t rows) {
  const int64_t last = ids.max().item<int64_t>();
  if (last < rows) return;
  throw Error(ErrorKind::kSpec, "position " + std::to_string(last) + " of a model that has " +
                                    std::to_string(rows) + " learned positions")
      .hint("the prompt and what it asks for are longer than the model's context");
}

// {op="embedding", ids=, weight=, shape={V, width}, offset=, out=}: ids [B, T] -> [B, T, width], of
// the row that is `offset` behind each id. The caller has checked ids against the vocabulary;
// positions are checked here.
Operation embedding(Attributes& attributes) {
  const Slot ids = attributes.input("ids");
  const at::Tensor weight = attributes.dense_module("weight").weight;
  const bool has_offset = attributes.has("offset");
  const int64_t offset = has_offset ? attributes.integer("offset", 0, kMostOffset) : 0;
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor rows = has_offset ? frame[ids] + offset : frame[ids];
    if (has_offset) check_rows(rows, weight.size(0));
    frame[out] = at::embedding(weight, rows);
  };
}

// {op="sinusoids", positions=, offset=, width=, like=, out=}: positions [B, T] -> [B, T, width],
// the sines of each position + offset at falling rates and then their cosines, computed in fp32, in
// the dtype of `like`. Of "Attention is all you need", in tensor2tensor's order.
Operation sinusoids(Attributes& attributes) {
  constexpr int64_t kLeast = 4, kMost = int64_t{1} << 20;
  const Slot positions = attributes.input("positions"), like = attributes.input("like");
  const int64_t offset = attributes.integer("offset", 0, kMostOffset);
  const int64_t width = attributes.integer("width", kLeast, kMost);
  const int64_t half = width / 2;
  const double step = -std::log(10000.0) / static_cast<double>(half - 1);
  const at::Tensor rates = at::exp(at::arange(half, at::kLong).to(at::kFloat) * step);
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor places = (frame[positions] + offset).to(at::kFloat).unsqueeze(-1);
    const at::Tensor angles = places * rates;
    at::Tensor table = at::cat({at::sin(angles), at::cos(angles)}, -1);
    if (width % 2 == 1) table = at::constant_pad_nd(table, {0, 1});
    frame[out] = table.to(frame[like].scalar_type());
  };
}

constexpr OpKind kOps[] = {{"embedding", embedding}, {"sinusoids", sinusoids}};

}  // namespace

std::span<const OpKind> embedding_ops() {
  return kOps;
}

}  // namespace qspec
