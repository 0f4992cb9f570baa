#include <ATen/ATen.h>

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

constexpr OpKind kOps[] = {{"embedding", embedding}};

}  // namespace

std::span<const OpKind> embedding_ops() {
  return kOps;
}

}  // namespace qspec
