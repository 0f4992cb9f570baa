#include "engine/model/linear.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>

#include "engine/tensor/packed.h"

namespace qspec {
namespace {

// A packed weight that counts how often it is decoded.
class Counting : public PackedWeight {
 public:
  explicit Counting(at::Tensor values) : values_(values), shape_(values.sizes().vec()) {}

  const std::vector<int64_t>& shape() const override { return shape_; }
  int64_t bytes() const override { return 0; }
  at::Tensor decode(at::ScalarType dtype) const override {
    ++decoded;
    return values_.to(dtype);
  }
  Comparison compare(const at::Tensor&) const override { return {}; }
  CodeStatistics statistics() const override { return {}; }

  mutable int decoded = 0;

 private:
  at::Tensor values_;
  std::vector<int64_t> shape_;
};

struct Fixture {
  Fixture() {
    at::manual_seed(11);
    module.packed = packed = std::make_shared<Counting>(at::randn({3, 5}));
    module.bias = at::randn({3}).to(at::kHalf);
    x = at::randn({2, 5}).to(at::kHalf);
  }

  at::Tensor apply(int64_t budget_bytes) {
    DenseBudget budget{budget_bytes};
    return make_linear(module, budget)->apply(x);
  }

  std::shared_ptr<Counting> packed;
  ModuleWeights module;
  at::Tensor x;
};

BOOST_FIXTURE_TEST_SUITE(linear_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_dense_weight_is_the_library_linear) {
  const at::Tensor weight = at::randn({3, 5}).to(at::kHalf);
  DenseBudget budget;
  ModuleWeights dense;
  dense.weight = weight;
  BOOST_TEST(at::equal(make_linear(dense, budget)->apply(x), at::linear(x, weight)));
  dense.bias = module.bias;
  BOOST_TEST(at::equal(make_linear(dense, budget)->apply(x), at::linear(x, weight, module.bias)));
}

BOOST_AUTO_TEST_CASE(rows_that_lie_apart_give_what_the_library_gives_for_a_parameter) {
  const at::Tensor apart = at::randn({3, 4, 40}).to(at::kBFloat16).narrow(1, 3, 1);
  DenseBudget budget;
  ModuleWeights dense;
  dense.weight = at::randn({30, 40}).to(at::kBFloat16);
  const at::Tensor parameter = dense.weight.clone().set_requires_grad(true);
  BOOST_TEST(at::equal(make_linear(dense, budget)->apply(apart), at::linear(apart, parameter)));
  dense.bias = at::randn({30}).to(at::kBFloat16);
  for (const at::Tensor& rows : {apart, apart.narrow(0, 0, 1), apart.contiguous()}) {
    BOOST_TEST(at::equal(make_linear(dense, budget)->apply(rows),
                         at::linear(rows, parameter, dense.bias)));
  }
}

BOOST_AUTO_TEST_CASE(a_packed_weight_computes_in_the_dtype_of_the_input_when_none_is_set) {
  const at::Tensor wanted = at::linear(x, packed->decode(at::kHalf), module.bias);
  BOOST_TEST(at::equal(apply(0), wanted));
  BOOST_TEST(at::equal(apply(1000), wanted));
}

BOOST_AUTO_TEST_CASE(a_packed_weight_computes_in_its_compute_dtype_and_rounds_once_after) {
  module.compute_dtype = at::kFloat;
  const at::Tensor wanted =
      at::linear(x.to(at::kFloat), packed->decode(at::kFloat), module.bias.to(at::kFloat));
  BOOST_TEST(at::equal(apply(0), wanted.to(at::kHalf)));
  BOOST_TEST(at::equal(apply(1000), wanted.to(at::kHalf)));
}

BOOST_AUTO_TEST_CASE(a_packed_weight_needs_no_bias) {
  module.bias = at::Tensor();
  const at::Tensor wanted = at::linear(x, packed->decode(at::kHalf));
  BOOST_TEST(at::equal(apply(0), wanted));
  BOOST_TEST(at::equal(apply(1000), wanted));
}

BOOST_AUTO_TEST_CASE(within_the_budget_a_weight_is_decoded_once) {
  DenseBudget budget{30};  // 3 * 5 halves
  const auto kept = make_linear(module, budget);
  BOOST_TEST(budget.bytes_left == 0);
  const auto decoding = make_linear(module, budget);
  for (int i = 0; i < 3; ++i) kept->apply(x);
  BOOST_TEST(packed->decoded == 1);
  for (int i = 0; i < 3; ++i) decoding->apply(x);
  BOOST_TEST(packed->decoded == 4);
}

BOOST_AUTO_TEST_CASE(a_float_weight_takes_twice_the_budget) {
  module.compute_dtype = at::kFloat;
  DenseBudget budget{59};
  make_linear(module, budget);
  BOOST_TEST(budget.bytes_left == 59);
}

BOOST_AUTO_TEST_CASE(a_kept_weight_still_serves_another_dtype) {
  DenseBudget budget{1000};
  const auto kept = make_linear(module, budget);
  kept->apply(x);
  const at::Tensor single = x.to(at::kFloat);
  const at::Tensor wanted =
      at::linear(single, packed->decode(at::kFloat), module.bias.to(at::kFloat));
  BOOST_TEST(at::equal(kept->apply(single), wanted));
}

BOOST_AUTO_TEST_CASE(a_bias_apart_is_added_to_the_rounded_product) {
  module.bias_apart = true;
  const at::Tensor weight = packed->decode(at::kHalf);
  const at::Tensor wanted = at::linear(x, weight).add(module.bias);
  BOOST_TEST(!at::equal(wanted, at::linear(x, weight, module.bias)));
  BOOST_TEST(at::equal(apply(0), wanted));
  BOOST_TEST(at::equal(apply(1 << 20), wanted));
}

BOOST_AUTO_TEST_CASE(a_packed_weight_is_rounded_to_its_decode_dtype_first) {
  // Half-way between two bfloat16 once it is a float16, and above that before.
  packed = std::make_shared<Counting>(at::full({3, 5}, 1 + 0x1p-8 + 0x1p-13));
  module.packed = packed;
  module.decode_dtype = at::kHalf;
  x = x.to(at::kBFloat16);
  const at::Tensor twice = packed->decode(at::kHalf).to(at::kBFloat16);
  BOOST_TEST(!at::equal(twice, packed->decode(at::kBFloat16)));
  const at::Tensor wanted = at::linear(x, twice, module.bias.to(at::kBFloat16));
  BOOST_TEST(at::equal(apply(0), wanted));
  BOOST_TEST(at::equal(apply(1 << 20), wanted));
}

BOOST_AUTO_TEST_CASE(an_output_scale_multiplies_the_rounded_product) {
  module.output_scale = at::rand({3}).add(0.5);
  const at::Tensor product = at::linear(x, packed->decode(at::kHalf));
  const at::Tensor wanted = product.mul(module.output_scale.to(at::kHalf)).add(module.bias);
  BOOST_TEST(at::equal(apply(0), wanted));
  BOOST_TEST(at::equal(apply(1 << 20), wanted));
}

BOOST_AUTO_TEST_CASE(exact_rows_are_those_of_the_weight_in_use_without_rounding_the_sum) {
  module.output_scale = at::rand({3}).add(0.5);
  module.compute_dtype = at::kBFloat16;
  const at::Tensor rows = at::tensor({int64_t{2}, int64_t{0}});
  const at::Tensor weight = packed->decode(at::kBFloat16).to(at::kDouble);
  const at::Tensor product = x.to(at::kBFloat16).to(at::kDouble).matmul(weight.t());
  const at::Tensor all = product * module.output_scale.to(at::kDouble) + module.bias;
  for (const int64_t budget_bytes : {0, 1000}) {
    DenseBudget budget{budget_bytes};
    const at::Tensor found = make_linear(module, budget)->exact(x, rows);
    BOOST_TEST((found.scalar_type() == at::kDouble));
    BOOST_TEST((found - all.index_select(1, rows)).abs().max().item<double>() < 1e-12);
  }
}

BOOST_AUTO_TEST_CASE(exact_rows_have_their_input_rounded_as_the_layer_does) {
  ActivationRounding rounding;
  rounding.bits = 4;
  ModuleWeights dense;
  dense.weight = at::randn({3, 5});
  dense.input = rounding;
  DenseBudget budget;
  const at::Tensor single = x.to(at::kFloat), rows = at::tensor({int64_t{1}});
  const at::Tensor wanted = make_linear(dense, budget)->apply(single).narrow(1, 1, 1);
  const at::Tensor found = make_linear(dense, budget)->exact(single, rows);
  BOOST_TEST((found - wanted).abs().max().item<double>() < 1e-5);
  BOOST_TEST((found - at::linear(single, dense.weight).narrow(1, 1, 1)).abs().max().item<double>() >
             1e-3);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
