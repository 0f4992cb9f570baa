#include "engine/tensor/rowwise8.h"

#include <boost/test/unit_test.hpp>

#include "tests/engine/tensor/tensors.h"
#include "tests/support/refusal.h"

namespace qspec {
namespace {

using test::has;
using test::refusal;

}  // namespace

BOOST_AUTO_TEST_SUITE(rowwise8_tests)

BOOST_AUTO_TEST_CASE(the_largest_magnitude_of_a_row_becomes_127) {
  const at::Tensor weight = at::tensor({1.0f, -2.0f, 0.5f, 4.0f, 1.0f, 0.0f}).reshape({2, 3});
  const Rowwise8 encoded = quantize_rowwise_int8(weight);
  BOOST_TEST(encoded.absmax.equal(at::tensor({2.0f, 4.0f})));
  BOOST_TEST(encoded.codes.flatten().equal(at::tensor({64, -127, 32, 127, 32, 0}, at::kChar)));
}

BOOST_AUTO_TEST_CASE(a_middle_rounds_to_the_even_code) {
  // absmax 127 makes the scale exactly 1 up to the reciprocal's rounding; 254 halves it.
  const at::Tensor weight = at::tensor({128.0f, 64.0f, 0.0f, -64.0f}).reshape({1, 4});
  const Rowwise8 encoded = quantize_rowwise_int8(weight);
  BOOST_TEST(encoded.codes.flatten().equal(at::tensor({127, 64, 0, -64}, at::kChar)));
}

BOOST_AUTO_TEST_CASE(a_row_of_zeros_has_zero_codes_and_no_scale) {
  const Rowwise8 encoded = quantize_rowwise_int8(at::zeros({2, 5}));
  BOOST_TEST(encoded.codes.equal(at::zeros({2, 5}, at::kChar)));
  BOOST_TEST(encoded.absmax.equal(at::zeros({2})));
}

BOOST_AUTO_TEST_CASE(weights_are_rounded_to_half_first) {
  const at::Tensor weight = at::randn({7, 129});
  const Rowwise8 wide = quantize_rowwise_int8(weight);
  const Rowwise8 narrow = quantize_rowwise_int8(weight.to(at::kHalf));
  BOOST_TEST(wide.codes.equal(narrow.codes));
  BOOST_TEST(wide.absmax.equal(weight.to(at::kHalf).abs().amax(1).to(at::kFloat)));
}

BOOST_AUTO_TEST_CASE(rows_longer_than_a_stretch_keep_one_scale) {
  const at::Tensor weight = at::randn({3, 10000}).to(at::kHalf);
  const Rowwise8 encoded = quantize_rowwise_int8(weight);
  BOOST_TEST(encoded.absmax.equal(weight.abs().amax(1).to(at::kFloat)));
  const at::Tensor error = dequantize(encoded, at::kFloat) - weight.to(at::kFloat);
  const at::Tensor step = encoded.absmax.reshape({3, 1}) / 127;
  BOOST_TEST((error.abs() <= step * 0.5001).all().item<bool>());
}

BOOST_AUTO_TEST_CASE(decodes_codes_times_absmax_over_127) {
  at::manual_seed(5);
  for (const int64_t columns : {1, 2, 63, 65, 4097}) {
    const Rowwise8 weight{at::randint(-127, 128, {9, columns}, at::kChar), at::rand({9})};
    const at::Tensor wanted =
        weight.codes.to(at::kFloat) * weight.absmax.reshape({9, 1}) * (1.0f / 127);
    BOOST_TEST(dequantize(weight, at::kFloat).equal(wanted), columns << " columns");
    BOOST_TEST(dequantize(weight, at::kHalf).equal(wanted.to(at::kHalf)));
  }
}

BOOST_AUTO_TEST_CASE(refuses_a_scale_too_few) {
  const Rowwise8 weight{at::zeros({4, 8}, at::kChar), at::ones({3})};
  BOOST_TEST(has(refusal([&] { checked(weight); }).message(), "absmax has 3 elements"));
}

BOOST_AUTO_TEST_CASE(refuses_codes_without_rows) {
  BOOST_TEST(has(refusal([] {
                   checked({at::zeros({8}, at::kChar), at::ones({8})});
                 }).message(),
                 "wanted int8 with 2"));
  BOOST_TEST(has(refusal([] { quantize_rowwise_int8(at::ones({8})); }).message(), "no rows"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
