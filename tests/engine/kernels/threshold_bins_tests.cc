#include "engine/kernels/threshold_bins.h"

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

#include "tests/engine/tensor/rules.h"

// The table that the GPU finds 4-bit codes with, against counting the thresholds below a number.
namespace qspec::cuda {
namespace {

uint32_t counted(float x, const CodeRule& rule) {
  const float value = rule.magnitude ? std::fabs(x) : x;
  uint32_t below = 0;
  for (const float threshold : rule.thresholds) below += value > threshold ? 1 : 0;
  return below;
}

// Numbers at which something changes: thresholds, the edges of bins, and what lies next to them.
std::vector<float> critical_numbers(const CodeRule& rule) {
  std::vector<float> numbers = {0.0f, -0.0f, 1.0f, -1.0f, INFINITY, -INFINITY, NAN, 1e-45f};
  for (const float threshold : rule.thresholds) {
    if (std::isfinite(threshold)) numbers.push_back(threshold);
  }
  for (int edge = -66; edge <= 66; ++edge) numbers.push_back(static_cast<float>(edge) / 64);
  std::vector<float> all;
  for (float number : numbers) {
    for (int i = 0; i < 4; ++i) number = std::nextafter(number, -INFINITY);
    for (int i = 0; i < 9; ++i) {
      all.push_back(number);
      all.push_back(-number);
      number = std::nextafter(number, INFINITY);
    }
    all.push_back(number);
  }
  all.push_back(NAN);
  return all;
}

void check_rule(const CodeRule& rule) {
  const auto bins = threshold_bins(rule);
  BOOST_REQUIRE(bins.has_value());
  const auto check = [&](float x) {
    const uint32_t found = position_of(x, rule.magnitude, *bins), wanted = counted(x, rule);
    if (found != wanted) BOOST_ERROR(x << " is at " << found << ", wanted " << wanted);
  };
  for (const float x : critical_numbers(rule)) check(x);
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(-1.01f, 1.01f);
  for (int i = 0; i < 2'000'000; ++i) check(uniform(random));
  for (int i = 0; i < 1'000'000; ++i) check(std::bit_cast<float>(static_cast<uint32_t>(random())));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(threshold_bins_tests)

BOOST_AUTO_TEST_CASE(finds_the_position_of_every_number_among_the_thresholds_of_nf4) {
  check_rule(test::nf4_rule());
}

BOOST_AUTO_TEST_CASE(finds_the_position_of_every_magnitude_among_the_thresholds_of_fp4) {
  check_rule(test::fp4_rule());
}

BOOST_AUTO_TEST_CASE(has_a_table_for_a_rule_of_few_thresholds) {
  const double one[] = {0.25};
  check_rule(code_rule(one, {}, false));
  check_rule(code_rule({}, {}, true));
  const double outside[] = {-3, -0.5, 2};
  check_rule(code_rule(outside, {}, false));
}

BOOST_AUTO_TEST_CASE(has_no_table_where_two_thresholds_share_a_bin) {
  const double close[] = {0.25, 0.2501};
  BOOST_TEST(!threshold_bins(code_rule(close, {}, false)).has_value());
  const double both_outside[] = {2, 3};
  BOOST_TEST(!threshold_bins(code_rule(both_outside, {}, false)).has_value());
}

BOOST_AUTO_TEST_CASE(has_no_table_for_magnitudes_below_zero) {
  const double negative[] = {-0.25, 0.5};
  BOOST_TEST(!threshold_bins(code_rule(negative, {}, true)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::cuda
