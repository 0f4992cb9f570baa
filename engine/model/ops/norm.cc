#include <ATen/ATen.h>

#include <utility>
#include <vector>

#include "engine/core/error.h"
#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

// {op="layer_norm", x=, weight=, shape={width}, bias=, plus_one=, eps=, out=}: over the last
// dimension, in the dtype of x; the kernel accumulates in fp32. With plus_one the stored weight is
// the distance from 1, added in its own dtype.
Operation layer_norm(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const ModuleWeights& module = attributes.dense_module("weight");
  const at::Tensor weight = attributes.flag("plus_one") ? module.weight + 1 : module.weight;
  const at::Tensor bias = module.bias;
  const double eps = attributes.number("eps");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    frame[out] = at::layer_norm(frame[x], weight.sizes(), weight, bias, eps);
  };
}

// {op="layer_norm_fp32", x=, weight=, shape=, eps=, out=}: every step in fp32, one rounding at the
// end. The weight may have a row for each head: x [B, H, T, D], shape {H, D}.
Operation layer_norm_fp32(Attributes& attributes) {
  const Slot x = attributes.input("x");
  at::Tensor weight = attributes.dense_module("weight").weight.to(at::kFloat);
  if (weight.dim() == 2) weight = weight.unsqueeze(1);
  const double eps = attributes.number("eps");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor wide = frame[x].to(at::kFloat);
    const at::Tensor centred = wide - wide.mean(-1, true);
    const at::Tensor variance = centred.pow(2).mean(-1, true);
    frame[out] = (weight * (centred * at::rsqrt(variance + eps))).to(frame[x].scalar_type());
  };
}

// {op="layer_norm_bare", x=, eps=, out=}: without parameters, in fp32.
Operation layer_norm_bare(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const double eps = attributes.number("eps");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor& given = frame[x];
    frame[out] =
        at::layer_norm(given.to(at::kFloat), {given.size(-1)}, {}, {}, eps).to(given.scalar_type());
  };
}

using Weighting = at::Tensor (*)(const at::Tensor&, const at::Tensor&, at::ScalarType);

at::Tensor weight_after_rounding(const at::Tensor& x, const at::Tensor& weight,
                                 at::ScalarType dtype) {
  return weight * x.to(dtype);
}
// T5's: the sums before may have come to fp32 while the norms have not.
at::Tensor weight_after_own_rounding(const at::Tensor& x, const at::Tensor& weight,
                                     at::ScalarType /*dtype*/) {
  return weight * x.to(weight.scalar_type());
}
at::Tensor weight_before_rounding(const at::Tensor& x, const at::Tensor& weight,
                                  at::ScalarType dtype) {
  return (weight * x).to(dtype);
}
at::Tensor one_plus_weight(const at::Tensor& x, const at::Tensor& weight, at::ScalarType dtype) {
  return (x * (weight.to(at::kFloat) + 1.0)).to(dtype);
}

// Where the weight comes in decides the last bits in half precision.
constexpr std::pair<std::string_view, Weighting> kWeightings[] = {
    {"after_rounding", weight_after_rounding},
    {"after_own_rounding", weight_after_own_rounding},
    {"before_rounding", weight_before_rounding},
    {"one_plus", one_plus_weight},
};

// {op="rms_norm", x=, weight=, shape={width}, weighting=, eps=, out=}: x over its root mean square
// over the last dimension, which is taken in fp32, times the weight. In the dtype of x, or, where
// the weight comes in after its own rounding, in that of the weight.
Operation rms_norm(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const at::Tensor weight = attributes.dense_module("weight").weight;
  const auto weighting = attributes.choice<Weighting>("weighting", kWeightings);
  const double eps = attributes.number("eps");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor wide = frame[x].to(at::kFloat);
    const at::Tensor normed = wide * at::rsqrt(wide.pow(2).mean(-1, true) + eps);
    frame[out] = weighting(normed, weight, frame[x].scalar_type());
  };
}

// {op="rms_norm_bare", x=, eps=, out=}: without a weight.
Operation rms_norm_bare(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const double eps = attributes.number("eps");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor wide = frame[x].to(at::kFloat);
    const at::Tensor normed = wide * at::rsqrt(wide.pow(2).mean(-1, true) + eps);
    frame[out] = normed.to(frame[x].scalar_type());
  };
}

// {op="layer_norm_by_head", x=, weights={...}, shape={D}, eps=, out=}: a layer norm of its own for
// each head of x [B, H, T, D], without biases.
Operation layer_norm_by_head(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const std::vector<at::Tensor> weights = attributes.dense_weights("weights");
  const double eps = attributes.number("eps");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    std::vector<at::Tensor> heads = frame[x].unbind(1);
    if (heads.size() != weights.size()) {
      throw Error(ErrorKind::kInternal, "as many norms as heads are wanted");
    }
    for (size_t i = 0; i < heads.size(); ++i) {
      heads[i] = at::layer_norm(heads[i], weights[i].sizes(), weights[i], {}, eps);
    }
    frame[out] = at::stack(heads, 1);
  };
}

constexpr OpKind kOps[] = {{"layer_norm", layer_norm},
                           {"layer_norm_by_head", layer_norm_by_head},
                           {"layer_norm_fp32", layer_norm_fp32},
                           {"layer_norm_bare", layer_norm_bare},
                           {"rms_norm", rms_norm},
                           {"rms_norm_bare", rms_norm_bare}};

}  // namespace

std::span<const OpKind> norm_ops() {
  return kOps;
}

}  // namespace qspec
