#include "engine/tensor/statistics.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "tests/engine/tensor/tensors.h"

namespace qspec {
namespace {

namespace tt = boost::test_tools;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

BOOST_AUTO_TEST_SUITE(statistics_tests)

BOOST_AUTO_TEST_CASE(follows_the_definitions_on_odd_sizes) {
  for (const int64_t count : {1, 2, 15, 17, 63, 64, 65, 127, 4097, 300001}) {
    const at::Tensor values = at::randn({count});
    const at::Tensor wide = values.to(at::kDouble);
    const Statistics result = statistics(values);
    BOOST_TEST(result.count == count);
    BOOST_TEST(result.min == values.min().item<float>());
    BOOST_TEST(result.max == values.max().item<float>());
    BOOST_TEST(result.absmax == values.abs().max().item<float>());
    BOOST_TEST(std::fabs(result.mean - wide.mean().item<double>()) < 1e-6);
    BOOST_TEST(result.rms == std::sqrt(wide.pow(2).mean().item<double>()), tt::tolerance(1e-5));
  }
}

BOOST_AUTO_TEST_CASE(counts_nans_infinities_and_both_zeros) {
  const at::Tensor values =
      at::tensor({0.0f, -0.0f, 1.0f, -3.0f, kInfinity, -kInfinity, std::nanf("")});
  const Statistics result = statistics(values);
  BOOST_TEST(result.zeros == 2);
  BOOST_TEST(result.inf == 2);
  BOOST_TEST(result.nan == 1);
  BOOST_TEST(result.min == -3);
  BOOST_TEST(result.max == 1);
  BOOST_TEST(result.mean == -0.5);
}

BOOST_AUTO_TEST_CASE(one_nan_far_in_does_not_hide_the_rest) {
  at::Tensor values = at::ones({100000}, at::kHalf);
  values[77777] = std::nanf("");
  const Statistics result = statistics(values);
  BOOST_TEST(result.nan == 1);
  BOOST_TEST(result.mean == 1);
}

BOOST_AUTO_TEST_CASE(without_a_finite_value_there_is_no_minimum) {
  const Statistics result = statistics(at::full({3}, std::nanf("")));
  BOOST_TEST(result.nan == 3);
  BOOST_TEST(std::isnan(result.min));
  BOOST_TEST(std::isnan(result.rms));
  BOOST_TEST(std::isnan(statistics(at::empty({0})).mean));
}

BOOST_AUTO_TEST_CASE(values_whose_squares_vanish_in_float_have_an_rms) {
  BOOST_TEST(statistics(at::full({100}, 1e-30)).rms == 1e-30, tt::tolerance(1e-6));
  BOOST_TEST(statistics(at::full({100}, 1e30)).rms == 1e30, tt::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(large_integers_keep_their_digits) {
  const at::Tensor values = at::tensor({int64_t{1} << 40, (int64_t{1} << 40) + 1}, at::kLong);
  const Statistics result = statistics(values);
  BOOST_TEST(result.max - result.min == 1);
}

BOOST_AUTO_TEST_CASE(codes_and_bools_have_statistics_too) {
  BOOST_TEST(statistics(at::arange(256).to(at::kByte)).mean == 127.5);
  BOOST_TEST(statistics(at::ones({4}, at::kBool)).max == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
