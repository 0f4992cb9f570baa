#include "engine/model/linear.h"

#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>

#include <mutex>
#include <utility>
#include <vector>

#include "engine/model/linear_activations.h"
#include "engine/model/linear_int8.h"
#include "engine/tensor/packed.h"

namespace qspec {
namespace {

at::Tensor cast(const at::Tensor& tensor, at::ScalarType dtype) {
  return tensor.defined() ? tensor.to(dtype) : tensor;
}

// at::linear as it is for a parameter, which transformers' weights are: rows of x are always
// multiplied as one matrix. For a plain weight LibTorch copies it for each sequence where they do
// not lie one behind the other.
at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {}) {
  const bool adds_within = bias.defined() && x.is_contiguous();
  if (x.dim() < 3 || adds_within) return at::linear(x, weight, bias);
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes.back() = weight.size(0);
  at::Tensor out = at::linear(x.reshape({-1, x.size(-1)}), weight).view(sizes);
  return bias.defined() ? out.add_(bias) : out;
}

// The product with the roundings of the library that wrote the weight.
at::Tensor multiply(const at::Tensor& x, const at::Tensor& weight, const ModuleWeights& module) {
  const at::Tensor bias = cast(module.bias, x.scalar_type());
  if (!module.bias_apart && !module.output_scale.defined()) return product(x, weight, bias);
  at::Tensor out = product(x, weight);
  if (module.output_scale.defined()) out.mul_(module.output_scale.to(out.scalar_type()));
  if (bias.defined()) out.add_(bias);
  return out;
}

// A scale of outputs is one of rows.
at::Tensor exact_multiply(const at::Tensor& x, const at::Tensor& weight,
                          const ModuleWeights& module, const at::Tensor& rows) {
  if (!module.output_scale.defined()) return exact_product(x, weight, module.bias, rows);
  const at::Tensor scale = module.output_scale.index_select(0, rows).to(at::kDouble);
  at::Tensor out = exact_product(x, weight, {}, rows).mul_(scale);
  if (module.bias.defined()) out.add_(module.bias.index_select(0, rows));
  return out;
}

std::optional<KernelOperand> dense_operand(const at::Tensor& weight, const ModuleWeights& module,
                                           at::ScalarType dtype) {
  if (weight.scalar_type() != dtype || module.output_scale.defined()) return {};
  return KernelOperand{weight, nullptr, cast(module.bias, dtype), module.bias_apart};
}

// Kernels keep scales and sums in fp32, and so are no less exact than a weight that was decoded to
// half precision, whichever; but an input that would be rounded to a compute dtype is another one.
std::optional<KernelOperand> codes_operand(const ModuleWeights& module, at::ScalarType dtype) {
  const at::ScalarType compute = module.compute_dtype.value_or(dtype);
  const bool is_plain =
      (compute == dtype || compute == at::kFloat) && !module.output_scale.defined();
  const Codebook4* codes = module.packed->codes4();
  if (!is_plain || codes == nullptr) return {};
  return KernelOperand{{}, codes, cast(module.bias, dtype), module.bias_apart};
}

class DenseLinear : public LinearWeight {
 public:
  explicit DenseLinear(const ModuleWeights& module) : module_(module) {}

  at::Tensor apply(const at::Tensor& x) const override {
    return multiply(x, module_.weight, module_);
  }

  at::Tensor exact(const at::Tensor& x, const at::Tensor& rows) const override {
    return exact_multiply(x, module_.weight, module_, rows);
  }

  std::optional<KernelOperand> operand(at::ScalarType dtype) const override {
    return dense_operand(module_.weight, module_, dtype);
  }

 private:
  ModuleWeights module_;
};

at::Tensor decoded(const ModuleWeights& module, at::ScalarType compute, c10::Device device) {
  return module.packed->decode(module.decode_dtype.value_or(compute)).to(device, compute);
}

// Decodes at every call.
class PackedLinear : public LinearWeight {
 public:
  explicit PackedLinear(const ModuleWeights& module) : module_(module) {}

  at::Tensor apply(const at::Tensor& x) const override {
    const at::ScalarType compute = module_.compute_dtype.value_or(x.scalar_type());
    return multiply(x.to(compute), decoded(module_, compute, x.device()), module_)
        .to(x.scalar_type());
  }

  at::Tensor exact(const at::Tensor& x, const at::Tensor& rows) const override {
    const at::ScalarType compute = module_.compute_dtype.value_or(x.scalar_type());
    return exact_multiply(x.to(compute), decoded(module_, compute, x.device()), module_, rows);
  }

  std::optional<KernelOperand> operand(at::ScalarType dtype) const override {
    return codes_operand(module_, dtype);
  }

 private:
  ModuleWeights module_;
};

// Decodes at the first call, for the dtype of that call, and keeps the result.
class KeptLinear : public LinearWeight {
 public:
  explicit KeptLinear(const ModuleWeights& module) : module_(module) {}

  at::Tensor apply(const at::Tensor& x) const override {
    const at::ScalarType compute = module_.compute_dtype.value_or(x.scalar_type());
    return multiply(x.to(compute), weight(compute, x.device()), module_).to(x.scalar_type());
  }

  at::Tensor exact(const at::Tensor& x, const at::Tensor& rows) const override {
    const at::ScalarType compute = module_.compute_dtype.value_or(x.scalar_type());
    return exact_multiply(x.to(compute), weight(compute, x.device()), module_, rows);
  }

  std::optional<KernelOperand> operand(at::ScalarType dtype) const override {
    if (auto codes = codes_operand(module_, dtype)) return codes;
    const at::ScalarType compute = module_.compute_dtype.value_or(dtype);
    if (compute != dtype || !weight_.defined()) return {};
    return dense_operand(weight(compute, weight_.device()), module_, dtype);
  }

 private:
  at::Tensor weight(at::ScalarType compute, c10::Device device) const {
    std::call_once(once_, [&] { weight_ = decoded(module_, compute, device); });
    return weight_.scalar_type() == compute ? weight_ : decoded(module_, compute, device);
  }

  ModuleWeights module_;
  mutable std::once_flag once_;
  mutable at::Tensor weight_;
};

int64_t decoded_bytes(const ModuleWeights& module) {
  int64_t bytes = module.compute_dtype == at::kFloat ? 4 : 2;
  for (const int64_t size : module.packed->shape()) bytes *= size;
  return bytes;
}

// Its codes are decoded where they lie, in less time than memory for the result is found in.
bool lies_on_gpu(const PackedWeight& weight) {
  return weight.codes4() != nullptr && weight.codes4()->packed.is_cuda();
}

std::unique_ptr<LinearWeight> make_product(const ModuleWeights& module, DenseBudget& budget) {
  if (module.int8) return make_int8_linear(*module.int8, module.bias);
  if (!module.packed) return std::make_unique<DenseLinear>(module);
  const int64_t bytes = decoded_bytes(module);
  if (lies_on_gpu(*module.packed) || bytes > budget.bytes_left)
    return std::make_unique<PackedLinear>(module);
  budget.bytes_left -= bytes;
  return std::make_unique<KeptLinear>(module);
}

}  // namespace

at::Tensor exact_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         const at::Tensor& rows) {
  const at::Tensor some = weight.index_select(0, rows).to(at::kDouble);
  const at::Tensor added = bias.defined() ? bias.index_select(0, rows).to(at::kDouble) : bias;
  return at::linear(x.to(at::kDouble), some, added);
}

std::unique_ptr<LinearWeight> make_linear(const ModuleWeights& module, DenseBudget& budget) {
  auto product = make_product(module, budget);
  return module.input ? with_rounded_input(std::move(product), *module.input) : std::move(product);
}

}  // namespace qspec
