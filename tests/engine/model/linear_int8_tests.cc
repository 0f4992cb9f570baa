#include "engine/model/linear_int8.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <vector>

namespace qspec {
namespace {

at::Tensor random_codes(int64_t rows, int64_t columns) {
  return at::randint(-127, 128, {rows, columns}, at::kChar);
}

at::Tensor exact_product(const at::Tensor& a, const at::Tensor& b) {
  return at::matmul(a.to(at::kDouble), b.to(at::kDouble).t()).to(at::kInt);
}

BOOST_AUTO_TEST_SUITE(linear_int8_tests)

BOOST_AUTO_TEST_CASE(both_products_are_exact_on_odd_shapes) {
  at::manual_seed(3);
  for (const auto& [m, n, k] : std::vector<std::array<int64_t, 3>>{
           {1, 1, 1}, {1, 7, 3}, {5, 3, 63}, {2, 9, 65}, {17, 33, 127}, {3, 5, 2049}}) {
    const at::Tensor a = random_codes(m, k), b = random_codes(n, k);
    BOOST_TEST(at::equal(int8_matmul(a, b), exact_product(a, b)));
    BOOST_TEST(at::equal(int8_matmul_in_float(a, b), exact_product(a, b)));
  }
}

BOOST_AUTO_TEST_CASE(the_largest_codes_do_not_overflow_a_float_sum) {
  const at::Tensor a = at::full({1, 4099}, 127, at::kChar),
                   b = at::full({1, 4099}, -127, at::kChar);
  BOOST_TEST(int8_matmul_in_float(a, b).item<int>() == -127 * 127 * 4099);
  BOOST_TEST(int8_matmul(a, b).item<int>() == -127 * 127 * 4099);
}

BOOST_AUTO_TEST_CASE(activations_are_quantized_by_row) {
  const at::Tensor x = at::tensor({1.0, -2.0, 0.5, 0.25, 0.125, 0.0}).view({2, 3}).to(at::kHalf);
  const auto found = quantize_activations(x, 0);
  const at::Tensor wanted = at::tensor({64, -127, 32, 127, 64, 0}).view({2, 3}).to(at::kChar);
  BOOST_TEST(at::equal(found.codes, wanted));
  BOOST_TEST(at::equal(found.absmax, at::tensor({2.0f, 0.25f})));
  BOOST_TEST(!found.outlier_columns.defined());
}

BOOST_AUTO_TEST_CASE(a_row_of_zeros_has_codes_of_zero) {
  const auto found = quantize_activations(at::zeros({2, 5}, at::kHalf), 6);
  BOOST_TEST(at::equal(found.codes, at::zeros({2, 5}, at::kChar)));
}

BOOST_AUTO_TEST_CASE(an_outlier_takes_its_column_out_of_every_row) {
  const at::Tensor x = at::tensor({1.0, 6.0, 2.0, 2.0, 1.0, 1.0}).view({2, 3}).to(at::kHalf);
  const auto found = quantize_activations(x, 6);
  BOOST_TEST(at::equal(found.outlier_columns, at::tensor({int64_t{1}})));
  BOOST_TEST(
      at::equal(found.codes, at::tensor({64, 0, 127, 127, 0, 64}).view({2, 3}).to(at::kChar)));
  BOOST_TEST(at::equal(found.absmax, at::tensor({2.0f, 2.0f})));
}

BOOST_AUTO_TEST_CASE(the_layer_is_near_the_dense_one_with_and_without_outliers) {
  at::manual_seed(5);
  const at::Tensor codes = random_codes(9, 31), absmax = at::rand({9}) + 0.5;
  const at::Tensor bias = at::randn({9}).to(at::kHalf);
  const at::Tensor dense = codes.to(at::kDouble) * absmax.unsqueeze(1) / 127;
  const auto layer = make_int8_linear({codes, absmax, 6.0}, bias);
  for (const double outlier : {1.0, 40.0}) {
    at::Tensor x = at::randn({2, 3, 31}).to(at::kHalf);
    x[1][2][30] = outlier;
    const at::Tensor wanted = at::matmul(x.to(at::kDouble), dense.t()) + bias.to(at::kDouble);
    const at::Tensor found = layer->apply(x);
    BOOST_TEST(found.sizes().vec() == (std::vector<int64_t>{2, 3, 9}));
    BOOST_TEST((found.to(at::kDouble) - wanted).abs().max().item<double>() < 0.15);
  }
}

BOOST_AUTO_TEST_CASE(an_outlier_without_decomposition_costs_precision) {
  at::manual_seed(5);
  const at::Tensor codes = random_codes(9, 31), absmax = at::ones({9});
  at::Tensor x = at::randn({1, 31}).to(at::kHalf);
  x[0][4] = 500;
  const at::Tensor wanted = at::matmul(x.to(at::kDouble), codes.to(at::kDouble).t() / 127);
  const auto error = [&](double threshold) {
    const auto found = make_int8_linear({codes, absmax, threshold}, {})->apply(x);
    return (found.to(at::kDouble) - wanted).abs().max().item<double>();
  };
  BOOST_TEST(error(6.0) < error(0.0) / 4);
}

BOOST_AUTO_TEST_CASE(other_dtypes_come_back_as_they_went_in) {
  const auto layer = make_int8_linear({random_codes(3, 4), at::ones({3}), 6.0}, {});
  for (const auto dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
    BOOST_TEST((layer->apply(at::ones({1, 2, 4}, dtype)).scalar_type() == dtype));
  }
}

BOOST_AUTO_TEST_CASE(exact_rows_are_what_the_layer_rounds_to_float16) {
  at::manual_seed(5);
  const at::Tensor bias = at::randn({9});
  const auto layer = make_int8_linear({random_codes(9, 31), at::rand({9}) + 0.5, 6.0}, bias);
  const at::Tensor rows = at::tensor({int64_t{8}, int64_t{3}});
  for (const double outlier : {1.0, 40.0}) {
    at::Tensor x = at::randn({1, 3, 31}).to(at::kHalf);
    x[0][2][30] = outlier;
    const at::Tensor found = layer->exact(x, rows), rounded = layer->apply(x).index_select(2, rows);
    BOOST_TEST(found.sizes().vec() == (std::vector<int64_t>{1, 3, 2}));
    BOOST_TEST((found - rounded).abs().max().item<double>() < 0.03);
    BOOST_TEST(!at::equal(found, rounded.to(at::kDouble)));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
