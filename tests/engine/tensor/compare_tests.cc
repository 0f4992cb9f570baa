#include "engine/tensor/compare.h"

#include <ATen/Parallel.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "tests/engine/tensor/tensors.h"
#include "tests/support/refusal.h"

namespace qspec {
namespace {

using test::has;
using test::refusal;
namespace tt = boost::test_tools;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Baseline and a decoded tensor near it.
std::pair<at::Tensor, at::Tensor> pair_of(int64_t count) {
  at::manual_seed(static_cast<uint64_t>(count));
  const at::Tensor baseline = at::randn({count});
  return {baseline, baseline + at::randn({count}) * 0.1};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(compare_tests)

BOOST_AUTO_TEST_CASE(metrics_follow_their_formulas_in_double) {
  for (const int64_t count : {1, 2, 63, 64, 65, 127, 4097, 300001}) {
    const auto [baseline, decoded] = pair_of(count);
    const at::Tensor r = baseline.to(at::kDouble), q = decoded.to(at::kDouble), e = q - r;
    const double squares = r.pow(2).sum().item<double>(), errors = e.pow(2).sum().item<double>();
    const Comparison result = compare(decoded, baseline);
    BOOST_TEST(result.count == count);
    BOOST_TEST(result.sqnr_db() == 10 * std::log10(squares / errors), tt::tolerance(1e-5));
    BOOST_TEST(result.gain() == (r * q).sum().item<double>() / squares, tt::tolerance(1e-6));
    BOOST_TEST(result.nmse() == errors / squares, tt::tolerance(1e-5));
    const double cosine =
        (r * q).sum().item<double>() / std::sqrt(squares * q.pow(2).sum().item<double>());
    BOOST_TEST(result.cosine() == cosine, tt::tolerance(1e-6));
    BOOST_TEST(result.max_abs_error == (decoded - baseline).abs().max().item<float>());
    BOOST_TEST(result.max_error_index == (decoded - baseline).abs().argmax().item<int64_t>());
  }
}

BOOST_AUTO_TEST_CASE(equal_tensors_have_no_error_and_infinite_sqnr) {
  const at::Tensor values = at::randn({1000});
  const Comparison result = compare(values, values);
  BOOST_TEST(result.sqnr_db() == kInfinity);
  BOOST_TEST(result.nmse() == 0);
  BOOST_TEST(result.cosine() == 1, tt::tolerance(1e-12));
  BOOST_TEST(result.max_error_index == -1);
  BOOST_TEST(result.worst_block == -1);
}

BOOST_AUTO_TEST_CASE(the_worst_block_is_the_one_with_the_largest_relative_error) {
  at::Tensor baseline = at::ones({640}), decoded = at::ones({640}) * 1.01;
  decoded.slice(0, 200, 201).fill_(1.5);   // block 3
  baseline.slice(0, 448, 512).mul_(0.01);  // block 7: small, and so worse
  decoded.slice(0, 448, 512).mul_(0.01);
  decoded.slice(0, 450, 451).fill_(0.02);
  const Comparison result = compare(decoded, baseline, 64);
  BOOST_TEST(result.worst_block == 7);
  BOOST_TEST(result.worst_block_power() == 64e-4 / (576 + 64e-4) * 10, tt::tolerance(1e-6));
  BOOST_TEST(result.max_error_index == 200);
}

BOOST_AUTO_TEST_CASE(errors_over_a_block_of_zeros_are_the_worst_of_all) {
  at::Tensor baseline = at::ones({192}), decoded = at::zeros({192});
  baseline.slice(0, 64, 128).fill_(0);
  decoded.slice(0, 100, 101).fill_(1e-3);
  const Comparison result = compare(decoded, baseline, 64);
  BOOST_TEST(result.worst_block == 1);
  BOOST_TEST(result.worst_block_sqnr_db() == -kInfinity);
}

BOOST_AUTO_TEST_CASE(blocks_longer_than_a_stretch_are_judged_as_one) {
  at::Tensor baseline = at::ones({3 * 10000}), decoded = baseline * 1.001;
  decoded.slice(0, 10000, 20000).mul_(1.01);
  const Comparison result = compare(decoded, baseline, 10000);
  BOOST_TEST(result.worst_block == 1);
  BOOST_TEST(result.worst_baseline_squares == 10000, tt::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(a_nan_in_the_decoded_weight_spoils_every_metric) {
  auto [baseline, decoded] = pair_of(1000);
  decoded[500] = kNan;
  decoded[501] = -kInfinity;
  const Comparison result = compare(decoded, baseline);
  BOOST_TEST(result.nonfinite_decoded == 2);
  BOOST_TEST(result.nonfinite_baseline == 0);
  BOOST_TEST(result.sqnr_db() == -kInfinity);
  BOOST_TEST(result.cosine() == 0);
  BOOST_TEST(result.nmse() == kInfinity);
  BOOST_TEST(std::isfinite(result.max_abs_error));
}

BOOST_AUTO_TEST_CASE(a_nan_in_both_at_one_place_is_counted_in_both) {
  at::Tensor baseline = at::ones({10}), decoded = at::ones({10});
  baseline[3] = kNan;
  decoded[3] = kNan;
  const Comparison result = compare(decoded, baseline);
  BOOST_TEST(result.nonfinite_decoded == 1);
  BOOST_TEST(result.nonfinite_baseline == 1);
  BOOST_TEST(result.error_squares == 0);
}

BOOST_AUTO_TEST_CASE(errors_too_small_to_square_in_float_still_count) {
  const at::Tensor baseline = at::full({100}, 1e-25), decoded = at::full({100}, 1.1e-25);
  const Comparison result = compare(decoded, baseline);
  BOOST_TEST(result.sqnr_db() == 20, tt::tolerance(1e-4));
}

BOOST_AUTO_TEST_CASE(values_too_large_to_square_in_float_still_count) {
  const at::Tensor baseline = at::full({100}, 1e30), decoded = at::full({100}, 1.1e30);
  const Comparison result = compare(decoded, baseline);
  BOOST_TEST(result.sqnr_db() == 20, tt::tolerance(1e-4));
  BOOST_TEST(result.all_finite());
}

BOOST_AUTO_TEST_CASE(all_zeros_against_all_zeros_is_perfect) {
  const Comparison result = compare(at::zeros({130}), at::zeros({130}));
  BOOST_TEST(result.cosine() == 1);
  BOOST_TEST(result.sqnr_db() == kInfinity);
}

BOOST_AUTO_TEST_CASE(a_weight_that_decodes_to_zeros_has_sqnr_zero_and_no_cosine) {
  const Comparison result = compare(at::zeros({130}), at::ones({130}));
  BOOST_TEST(result.cosine() == 0);
  BOOST_TEST(result.sqnr_db() == 0);
}

BOOST_AUTO_TEST_CASE(one_thread_and_many_give_the_same_bits) {
  const auto [baseline, decoded] = pair_of(2'000'003);
  const Comparison many = compare(decoded, baseline);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Comparison one = compare(decoded, baseline);
  at::set_num_threads(threads);
  BOOST_TEST(one.error_squares == many.error_squares);
  BOOST_TEST(one.cross == many.cross);
  BOOST_TEST(one.worst_block == many.worst_block);
  BOOST_TEST(one.max_error_index == many.max_error_index);
}

BOOST_AUTO_TEST_CASE(the_baseline_may_be_of_any_real_dtype) {
  const at::Tensor values = at::randint(-100, 100, {500}).to(at::kFloat);
  for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16, at::kDouble, at::kInt, at::kChar}) {
    BOOST_TEST(compare(values, values.to(dtype)).sqnr_db() == kInfinity);
  }
}

BOOST_AUTO_TEST_CASE(empty_tensors_compare_as_equal) {
  BOOST_TEST(compare(at::empty({0}), at::empty({0})).sqnr_db() == kInfinity);
}

BOOST_AUTO_TEST_CASE(refuses_a_baseline_of_another_shape) {
  const Error error = refusal([] { compare(at::ones({2, 3}), at::ones({3, 2})); });
  BOOST_TEST(error.message() == "baseline has shape [3, 2], wanted [2, 3]");
}

BOOST_AUTO_TEST_CASE(refuses_complex_values) {
  const at::Tensor values = at::ones({2}, at::kComplexFloat);
  BOOST_TEST(has(refusal([&] { compare(values, values); }).message(), "complex"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
