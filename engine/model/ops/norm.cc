#include <ATen/ops/layer_norm.h>

#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

// {op="layer_norm", x=, weight=, shape={width}, bias=, eps=, out=}: over the last dimension, in the
// dtype of x; the kernel accumulates in fp32.
Operation layer_norm(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const ModuleWeights& module = attributes.dense_module("weight");
  const at::Tensor weight = module.weight;
  const at::Tensor bias = module.bias;
  const double eps = attributes.number("eps");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    frame[out] = at::layer_norm(frame[x], weight.sizes(), weight, bias, eps);
  };
}

constexpr OpKind kOps[] = {{"layer_norm", layer_norm}};

}  // namespace

std::span<const OpKind> norm_ops() {
  return kOps;
}

}  // namespace qspec
