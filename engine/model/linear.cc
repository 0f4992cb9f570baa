#include "engine/model/linear.h"

#include <ATen/ops/linear.h>

#include <mutex>
#include <utility>

#include "engine/model/linear_int8.h"
#include "engine/tensor/packed.h"

namespace qspec {
namespace {

at::Tensor cast(const at::Tensor& tensor, at::ScalarType dtype) {
  return tensor.defined() ? tensor.to(dtype) : tensor;
}

class DenseLinear : public LinearWeight {
 public:
  DenseLinear(at::Tensor weight, at::Tensor bias)
      : weight_(std::move(weight)), bias_(std::move(bias)) {}

  at::Tensor apply(const at::Tensor& x) const override { return at::linear(x, weight_, bias_); }

 private:
  at::Tensor weight_;  // [O, I]
  at::Tensor bias_;    // [O] or undefined
};

// Decodes at every call.
class PackedLinear : public LinearWeight {
 public:
  explicit PackedLinear(const ModuleWeights& module)
      : packed_(module.packed), bias_(module.bias), compute_dtype_(module.compute_dtype) {}

  at::Tensor apply(const at::Tensor& x) const override {
    const at::ScalarType compute = compute_dtype_.value_or(x.scalar_type());
    return at::linear(x.to(compute), packed_->decode(compute), cast(bias_, compute))
        .to(x.scalar_type());
  }

 private:
  std::shared_ptr<const PackedWeight> packed_;
  at::Tensor bias_;
  std::optional<at::ScalarType> compute_dtype_;
};

// Decodes at the first call, for the dtype of that call, and keeps the result.
class KeptLinear : public LinearWeight {
 public:
  explicit KeptLinear(const ModuleWeights& module) : module_(module) {}

  at::Tensor apply(const at::Tensor& x) const override {
    const at::ScalarType compute = module_.compute_dtype.value_or(x.scalar_type());
    std::call_once(once_, [&] {
      weight_ = module_.packed->decode(compute);
      bias_ = cast(module_.bias, compute);
    });
    if (weight_.scalar_type() != compute) return PackedLinear(module_).apply(x);
    return at::linear(x.to(compute), weight_, bias_).to(x.scalar_type());
  }

 private:
  ModuleWeights module_;
  mutable std::once_flag once_;
  mutable at::Tensor weight_;
  mutable at::Tensor bias_;
};

int64_t decoded_bytes(const ModuleWeights& module) {
  int64_t bytes = module.compute_dtype == at::kFloat ? 4 : 2;
  for (const int64_t size : module.packed->shape()) bytes *= size;
  return bytes;
}

}  // namespace

std::unique_ptr<LinearWeight> make_linear(const ModuleWeights& module, DenseBudget& budget) {
  if (module.int8) return make_int8_linear(*module.int8, module.bias);
  if (!module.packed) return std::make_unique<DenseLinear>(module.weight, module.bias);
  const int64_t bytes = decoded_bytes(module);
  if (bytes > budget.bytes_left) return std::make_unique<PackedLinear>(module);
  budget.bytes_left -= bytes;
  return std::make_unique<KeptLinear>(module);
}

}  // namespace qspec
