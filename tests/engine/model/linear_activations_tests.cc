#include "engine/model/linear_activations.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <vector>

#include "engine/core/error.h"

namespace qspec {
namespace {

using Rounding = ActivationRounding;

at::Tensor row(std::vector<float> values) {
  return at::tensor(values).unsqueeze(0);
}

void check(const at::Tensor& found, std::vector<float> wanted) {
  const at::Tensor flat = found.to(at::kFloat).flatten();
  BOOST_REQUIRE_EQUAL(flat.numel(), static_cast<int64_t>(wanted.size()));
  for (size_t i = 0; i < wanted.size(); ++i) {
    BOOST_TEST(flat[static_cast<int64_t>(i)].item<float>() == wanted[i],
               boost::test_tools::tolerance(1e-6f));
  }
}

BOOST_AUTO_TEST_SUITE(linear_activations_tests)

BOOST_AUTO_TEST_CASE(each_token_has_a_scale_of_its_own_and_the_top_code_saturates) {
  // A range of 255 codes: 127.5 saturates at 127, -63.75 rounds to -64.
  const float s = 1 / 127.5f;
  const at::Tensor x = at::cat({row({1, -0.5f, 0.3f, 0}), row({2, -1, 0.6f, 0})});
  check(round_activations(x, Rounding{}),
        {127 * s, -64 * s, 38 * s, 0, 254 * s, -128 * s, 76 * s, 0});
}

BOOST_AUTO_TEST_CASE(one_scale_for_all_tokens_is_that_of_the_largest) {
  Rounding rounding;
  rounding.extent = Rounding::Extent::kTensor;
  rounding.bits = 4;
  check(round_activations(at::cat({row({7.5f, 1.2f}), row({-3.4f, 0.4f})}), rounding),
        {7, 1, -3, 0});
}

BOOST_AUTO_TEST_CASE(a_range_that_is_not_symmetric_is_shifted) {
  Rounding rounding;
  rounding.symmetric = false;
  rounding.bits = 4;
  // From 0 to 15 in steps of 1; the zero point is -8.
  check(round_activations(row({15, 3.4f, 7.6f, 2}), rounding), {15, 3, 8, 2});
}

BOOST_AUTO_TEST_CASE(a_scale_that_is_given_is_taken) {
  Rounding rounding;
  rounding.extent = Rounding::Extent::kTensor;
  rounding.scale = at::tensor({0.5f});
  rounding.zero_point = at::tensor({3}, at::kChar);
  check(round_activations(row({1.1f, -1000, 1000}), rounding), {1, -65.5f, 62});
}

BOOST_AUTO_TEST_CASE(e4m3_codes_use_the_whole_range_of_the_format) {
  Rounding rounding;
  rounding.codes = Rounding::Codes::kE4M3;
  check(round_activations(row({448, 1.06f, -447, 0.3f}), rounding), {448, 1, -448, 0.3125f});
}

BOOST_AUTO_TEST_CASE(microscaling_takes_a_power_of_two_for_each_group) {
  Rounding rounding;
  rounding.codes = Rounding::Codes::kE2M1;
  rounding.extent = Rounding::Extent::kGroup;
  rounding.scales = Rounding::Scales::kExponents;
  rounding.group_size = 4;
  // 7 = 1.75 * 4 counts as 8: a scale of 2. 6.5 stays at 4: a scale of 1, and saturates.
  check(round_activations(row({7, 1, 0.4f, -5, 6.5f, 1.25f, -2.5f, 0.2f}), rounding),
        {8, 1, 0, -4, 6, 1, -2, 0});
}

BOOST_AUTO_TEST_CASE(scales_in_e4m3_are_divided_by_the_global_one) {
  Rounding rounding;
  rounding.codes = Rounding::Codes::kE2M1;
  rounding.extent = Rounding::Extent::kGroup;
  rounding.scales = Rounding::Scales::kE4M3;
  rounding.group_size = 2;
  rounding.global_scale = at::tensor({4.0f});
  // 6 / 6 * 4 = 4 is an e4m3 number; 7 / 6 * 4 = 4.67 becomes 4.5, a scale of 1.125.
  check(round_activations(row({6, 2.4f, 7, 2.25f}), rounding), {6, 2, 6.75f, 2.25f});
}

BOOST_AUTO_TEST_CASE(zeros_stay_zeros_in_every_way_of_rounding) {
  for (const auto codes : {Rounding::Codes::kInteger, Rounding::Codes::kE4M3}) {
    for (const bool symmetric : {true, false}) {
      Rounding rounding;
      rounding.codes = codes;
      rounding.symmetric = symmetric;
      check(round_activations(row({0, 0, 0}), rounding), {0, 0, 0});
    }
  }
}

BOOST_AUTO_TEST_CASE(the_dtype_and_the_shape_of_the_input_are_kept) {
  const at::Tensor x = at::ones({2, 3, 8}).to(at::kBFloat16);
  Rounding rounding;
  rounding.extent = Rounding::Extent::kGroup;
  rounding.group_size = 4;
  const at::Tensor rounded = round_activations(x, rounding);
  BOOST_TEST((rounded.sizes() == x.sizes()));
  BOOST_TEST((rounded.scalar_type() == at::kBFloat16));
}

BOOST_AUTO_TEST_CASE(groups_that_do_not_divide_the_input_are_refused) {
  Rounding rounding;
  rounding.extent = Rounding::Extent::kGroup;
  rounding.group_size = 3;
  BOOST_CHECK_THROW(round_activations(row({1, 2, 3, 4}), rounding), Error);
}

BOOST_AUTO_TEST_CASE(numbers_that_nothing_can_be_computed_with_are_refused) {
  Rounding rounding;
  rounding.bits = 1;
  BOOST_CHECK_THROW(check_rounding(rounding), Error);
  rounding.bits = 8;
  rounding.extent = Rounding::Extent::kGroup;
  BOOST_CHECK_THROW(check_rounding(rounding), Error);
  rounding.group_size = 16;
  rounding.scales = Rounding::Scales::kE4M3;
  BOOST_CHECK_THROW(check_rounding(rounding), Error);
  rounding.global_scale = at::ones({2});
  BOOST_CHECK_THROW(check_rounding(rounding), Error);
  rounding.global_scale = at::ones({1});
  BOOST_CHECK_NO_THROW(check_rounding(rounding));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
