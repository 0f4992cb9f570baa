#include "engine/model/ops/activation.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

// The tanh forms of gelu differ in half precision: each is rounded after every step as written, and
// the steps stand in the order in which transformers takes them. A number is never multiplied in
// place: LibTorch would round it to the dtype before.

// x * 0.5 * (1 + tanh(0.79788456 * x * (1 + 0.044715 * x * x)))
at::Tensor bloom_gelu(const at::Tensor& x) {
  at::Tensor inner = (x * 0.044715).mul_(x).add_(1);
  inner = (x * 0.79788456).mul_(inner).tanh_().add_(1);
  return (x * 0.5).mul_(inner);
}

// 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
at::Tensor gelu_new(const at::Tensor& x) {
  const at::Tensor cubic = at::mul(at::pow(x, 3.0), 0.044715);
  const at::Tensor inner = at::tanh(at::mul(at::add(x, cubic), std::sqrt(2.0 / M_PI)));
  return at::mul(at::mul(x, 0.5), at::add(inner, 1));
}

// 0.5 * x * (1 + tanh(x * 0.7978845608 * (1 + 0.044715 * x * x)))
at::Tensor gelu_fast(const at::Tensor& x) {
  const at::Tensor inner = (x * 0.044715).mul_(x).add_(1);
  return (x * 0.5).mul_((x * 0.7978845608).mul_(inner).tanh_().add_(1));
}

at::Tensor gelu(const at::Tensor& x) {
  return at::gelu(x);
}
at::Tensor gelu_tanh(const at::Tensor& x) {
  return at::gelu(x, "tanh");
}
at::Tensor quick_gelu(const at::Tensor& x) {
  return x * at::sigmoid(x * 1.702);
}
at::Tensor relu(const at::Tensor& x) {
  return at::relu(x);
}
at::Tensor relu_squared(const at::Tensor& x) {
  return at::relu(x).square_();
}
at::Tensor sigmoid(const at::Tensor& x) {
  return at::sigmoid(x);
}
at::Tensor silu(const at::Tensor& x) {
  return at::silu(x);
}

at::Tensor tanh(const at::Tensor& x) {
  return at::tanh(x);
}

// By the names that configs use.
constexpr std::pair<std::string_view, Activation> kActivations[] = {
    {"bloom_gelu", bloom_gelu},
    {"gelu", gelu},
    {"gelu_fast", gelu_fast},
    {"gelu_new", gelu_new},
    {"gelu_pytorch_tanh", gelu_tanh},
    {"quick_gelu", quick_gelu},
    {"relu", relu},
    {"relu2", relu_squared},
    {"sigmoid", sigmoid},
    {"silu", silu},
    {"swish", silu},
    {"tanh", tanh},
};

// {op="activation", x=, kind=, out=}
Operation activation(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const auto function = read_activation(attributes, "kind");
  const Slot out = attributes.output();
  return [=](Frame& frame) { frame[out] = function(frame[x]); };
}

// {op="xielu", x=, alpha_p=, alpha_n=, beta=, eps=, each with its KEY_shape, out=}: xIELU
// (arXiv 2411.13010), a square above 0 and an exponential below, whose slopes are learned:
// softplus(alpha_p) and beta + softplus(alpha_n). Rounded at each step, as transformers 5.17 has
// it.
Operation xielu(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const at::Tensor beta = attributes.dense_module("beta").weight;
  const at::Tensor eps = attributes.dense_module("eps").weight;
  const at::Tensor above = at::softplus(attributes.dense_module("alpha_p").weight);
  const at::Tensor below = beta + at::softplus(attributes.dense_module("alpha_n").weight);
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor& given = frame[x];
    const at::Tensor square = above * given * given + beta * given;
    const at::Tensor decay = (at::expm1(at::minimum(given, eps)) - given) * below + beta * given;
    frame[out] = at::where(given.gt(0), square, decay);
  };
}

constexpr OpKind kOps[] = {{"activation", activation}, {"xielu", xielu}};

}  // namespace

Activation read_activation(Attributes& attributes, std::string_view key) {
  return attributes.choice<Activation>(key, kActivations);
}

std::span<const OpKind> activation_ops() {
  return kOps;
}

}  // namespace qspec
