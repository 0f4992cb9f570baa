#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

using Activation = at::Tensor (*)(const at::Tensor&);

// The tanh forms of gelu differ in half precision: each is rounded after every step as written, and
// the steps stand in the order in which transformers takes them.

// x * 0.5 * (1 + tanh(0.79788456 * x * (1 + 0.044715 * x * x)))
at::Tensor bloom_gelu(const at::Tensor& x) {
  at::Tensor inner = (x * 0.044715).mul_(x).add_(1);
  inner = (x * 0.79788456).mul_(inner).tanh_().add_(1);
  return (x * 0.5).mul_(inner);
}

// 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
at::Tensor gelu_new(const at::Tensor& x) {
  const at::Tensor cubic = x.pow(3.0).mul_(0.044715);
  const at::Tensor inner = (x + cubic).mul_(std::sqrt(2.0 / M_PI)).tanh_().add_(1);
  return (x * 0.5).mul_(inner);
}

at::Tensor gelu(const at::Tensor& x) {
  return at::gelu(x);
}
at::Tensor gelu_tanh(const at::Tensor& x) {
  return at::gelu(x, "tanh");
}
at::Tensor relu(const at::Tensor& x) {
  return at::relu(x);
}
at::Tensor relu_squared(const at::Tensor& x) {
  return at::relu(x).square_();
}
at::Tensor silu(const at::Tensor& x) {
  return at::silu(x);
}

// By the names that configs use.
constexpr std::pair<std::string_view, Activation> kActivations[] = {
    {"bloom_gelu", bloom_gelu},
    {"gelu", gelu},
    {"gelu_new", gelu_new},
    {"gelu_pytorch_tanh", gelu_tanh},
    {"relu", relu},
    {"relu2", relu_squared},
    {"silu", silu},
};

// {op="activation", x=, kind=, out=}
Operation activation(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const auto function = attributes.choice<Activation>("kind", kActivations);
  const Slot out = attributes.output();
  return [=](Frame& frame) { frame[out] = function(frame[x]); };
}

constexpr OpKind kOps[] = {{"activation", activation}};

}  // namespace

std::span<const OpKind> activation_ops() {
  return kOps;
}

}  // namespace qspec
