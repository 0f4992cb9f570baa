#include "engine/kernels/step/activation_values.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <vector>

// One number at a time against LibTorch, which transformers calls.
namespace qspec {
namespace {

using cuda::ActivationKind;
using Reference = std::function<at::Tensor(const at::Tensor&)>;

struct Case {
  ActivationKind kind;
  Reference reference;
};

const std::vector<Case> kCases = {
    {ActivationKind::kGelu, [](const at::Tensor& x) { return at::gelu(x); }},
    {ActivationKind::kGeluTanh, [](const at::Tensor& x) { return at::gelu(x, "tanh"); }},
    {ActivationKind::kQuickGelu, [](const at::Tensor& x) { return x * at::sigmoid(x * 1.702); }},
    {ActivationKind::kRelu, [](const at::Tensor& x) { return at::relu(x); }},
    {ActivationKind::kReluSquared, [](const at::Tensor& x) { return at::relu(x).square(); }},
    {ActivationKind::kSigmoid, [](const at::Tensor& x) { return at::sigmoid(x); }},
    {ActivationKind::kSilu, [](const at::Tensor& x) { return at::silu(x); }},
    {ActivationKind::kTanh, [](const at::Tensor& x) { return at::tanh(x); }},
    {ActivationKind::kGeluNew,
     [](const at::Tensor& x) {
       const at::Tensor inner = (x + at::pow(x, 3.0) * 0.044715) * std::sqrt(2.0 / M_PI);
       return x * 0.5 * (at::tanh(inner) + 1);
     }},
    {ActivationKind::kGeluFast,
     [](const at::Tensor& x) {
       return x * 0.5 * (at::tanh(x * 0.7978845608 * (x * 0.044715 * x + 1)) + 1);
     }},
    {ActivationKind::kBloomGelu,
     [](const at::Tensor& x) {
       return x * 0.5 * (at::tanh(x * 0.79788456 * (x * 0.044715 * x + 1)) + 1);
     }},
};

at::Tensor activated(ActivationKind kind, const at::Tensor& x) {
  const auto rounded = [&](float value) {
    return at::scalar_tensor(value, at::kFloat).to(x.scalar_type()).item<float>();
  };
  at::Tensor result = x.to(at::kFloat).clone();
  auto* values = result.mutable_data_ptr<float>();
  for (int64_t i = 0; i < x.numel(); ++i) {
    values[i] = rounded(cuda::activated(kind, values[i], rounded));
  }
  return result;
}

at::Tensor inputs() {
  return at::cat({at::linspace(-12, 12, 301), at::tensor({0.0, -0.0, 60.0, -60.0, 1e-6})});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(activation_values_tests)

BOOST_AUTO_TEST_CASE(in_fp32_each_is_that_of_libtorch) {
  for (const auto& [kind, reference] : kCases) {
    const at::Tensor x = inputs().to(at::kFloat);
    const at::Tensor off = (activated(kind, x) - reference(x)).abs();
    const double most = (off / reference(x).abs().clamp_min(1)).max().item<double>();
    BOOST_TEST(most < 1e-6, "kind " << static_cast<int>(kind) << ": " << most);
  }
}

// Exponentials differ in their last bits, so that a value at the edge of two may go to the other.
BOOST_AUTO_TEST_CASE(in_half_precision_they_are_at_most_a_step_off) {
  for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    const double step = dtype == at::kHalf ? 0x1p-10 : 0x1p-7;
    for (const auto& [kind, reference] : kCases) {
      const at::Tensor x = inputs().to(dtype), wanted = reference(x).to(at::kFloat);
      const at::Tensor off = (activated(kind, x) - wanted).abs() - wanted.abs() * step;
      BOOST_TEST(off.max().item<double>() < 1e-6, "kind " << static_cast<int>(kind));
    }
  }
}

BOOST_AUTO_TEST_CASE(forms_that_are_rounded_step_by_step_are_equal_but_for_a_few) {
  constexpr ActivationKind kStepped[] = {ActivationKind::kBloomGelu, ActivationKind::kGeluNew,
                                         ActivationKind::kGeluFast, ActivationKind::kQuickGelu};
  for (const auto& [kind, reference] : kCases) {
    if (std::find(std::begin(kStepped), std::end(kStepped), kind) == std::end(kStepped)) continue;
    for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
      const at::Tensor x = inputs().to(dtype);
      const auto count = activated(kind, x).ne(reference(x).to(at::kFloat)).sum().item<int64_t>();
      BOOST_TEST(count <= 3, "kind " << static_cast<int>(kind) << ": " << count);
    }
  }
}

BOOST_AUTO_TEST_CASE(not_a_number_stays_one) {
  const auto as_it_is = [](float value) { return value; };
  for (const auto& [kind, reference] : kCases) {
    BOOST_TEST(std::isnan(cuda::activated(kind, NAN, as_it_is)));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
