#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

#include "engine/model/ops/tables.h"
#include "engine/model/random_rounding.h"

namespace qspec {
namespace {

using LinearHandle = std::shared_ptr<const LinearWeight>;

// A weight [I, O] is multiplied as it lies.
class TransposedLinear : public LinearWeight {
 public:
  TransposedLinear(at::Tensor weight, at::Tensor bias)
      : weight_(std::move(weight)), bias_(std::move(bias)) {}

  at::Tensor apply(const at::Tensor& x) const override {
    const at::Tensor rows = x.reshape({-1, x.size(-1)});
    auto sizes = x.sizes().vec();
    sizes.back() = weight_.size(1);
    return (bias_.defined() ? at::addmm(bias_, rows, weight_) : at::mm(rows, weight_)).view(sizes);
  }

  at::Tensor exact(const at::Tensor& x, const at::Tensor& rows) const override {
    return exact_product(x, weight_.t(), bias_, rows);
  }

 private:
  at::Tensor weight_, bias_;
};

LinearHandle bound(Attributes& attributes) {
  const bool transposed = attributes.flag("transposed");
  ModuleWeights module = attributes.linear_module("weight", transposed);
  module.bias_apart = attributes.flag("separate_bias") || module.bias_apart;
  const LinearHandle made =
      transposed && module.weight.defined()
          ? std::make_shared<const TransposedLinear>(module.weight, module.bias)
          : LinearHandle(make_linear(module, attributes.dense_budget()));
  attributes.linears().insert_or_assign(attributes.text("weight"), made);
  return made;
}

// {op="linear", x=, weight=, shape={O, I}, bias=, transposed=, separate_bias=, out=}: x [..., I] ->
// [..., O]. A transposed weight has shape {I, O}, unless it is packed.
Operation linear(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const LinearHandle weight = bound(attributes);
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    frame[out] = frame.exact_rows.defined()
                     ? weight->exact(frame[x], frame.exact_rows)
                     : rounded_at_random(weight->apply(frame[x]), frame.random_rounding);
  };
}

// {op="as_weight", x=, weight=, shape={O, I}, out=}: x in the dtype of a weight that is dense,
// which may be kept in fp32 among others in half precision.
Operation as_weight(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const at::Tensor weight = attributes.linear_module("weight").weight;
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    frame[out] = weight.defined() ? frame[x].to(weight.scalar_type()) : frame[x];
  };
}

constexpr OpKind kOps[] = {{"linear", linear}, {"as_weight", as_weight}};

}  // namespace

std::span<const OpKind> linear_ops() {
  return kOps;
}

}  // namespace qspec
