#include <ATen/ops/embedding.h>

#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

// {op="embedding", ids=, weight=, shape={V, width}, out=}: ids [B, T] -> [B, T, width]. The caller
// has checked the ids against the vocabulary.
Operation embedding(Attributes& attributes) {
  const Slot ids = attributes.input("ids");
  const at::Tensor weight = attributes.dense_module("weight").weight;
  const Slot out = attributes.output();
  return [=](Frame& frame) { frame[out] = at::embedding(weight, frame[ids]); };
}

constexpr OpKind kOps[] = {{"embedding", embedding}};

}  // namespace

std::span<const OpKind> embedding_ops() {
  return kOps;
}

}  // namespace qspec
