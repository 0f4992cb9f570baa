#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "engine/core/error.h"
#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

using tiny::largest_difference;
using tiny::run_ops;

Json table(Json scaling) {
  Json instruction = {{"op", "rope_table"}, {"positions", "positions"}, {"like", "x"},
                      {"width", 6},         {"theta", 100.0},           {"amplitude", 1.0},
                      {"precise", true},    {"out", {"cos", "out"}}};
  instruction.update(scaling);
  return instruction;
}

// The angles of `tokens` positions, by their sines, [T, 3].
at::Tensor sines(const Json& scaling, int64_t tokens = 5) {
  return run_ops(at::zeros({tokens, 6}), {table(scaling)})[0][0];
}

at::Tensor frequencies() {
  return at::pow(100.0, -at::arange(0, 6, 2).to(at::kFloat) / 6);
}

at::Tensor sines_of(const at::Tensor& frequency, int64_t tokens = 5) {
  return (at::arange(tokens).to(at::kFloat).unsqueeze(1) * frequency).sin();
}

at::Tensor turned(const at::Tensor& x, const char* style) {
  Json both = table({{"scaling", "default"}});
  both["out"] = {"cos", "sin"};
  return run_ops(x, {{{"op", "view_heads"}, {"x", "x"}, {"width", x.size(1)}, {"out", "h"}},
                     both,
                     {{"op", "rope"},
                      {"x", "h"},
                      {"cos", "cos"},
                      {"sin", "sin"},
                      {"style", style},
                      {"out", "out"}}})[0][0];
}

// Pairs as complex numbers times e^(i angle).
at::Tensor rotated_pairs(const at::Tensor& first, const at::Tensor& second) {
  const at::Tensor angles = at::arange(first.size(0)).to(at::kFloat).unsqueeze(1) * frequencies();
  return at::view_as_real(at::complex(first, second) * at::polar(at::ones_like(angles), angles));
}

std::string refusal(const Json& scaling) {
  try {
    sines(scaling);
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

BOOST_AUTO_TEST_SUITE(rope_tests)

BOOST_AUTO_TEST_CASE(angles_are_positions_times_powers_of_theta) {
  BOOST_TEST(largest_difference(sines({{"scaling", "default"}}), sines_of(frequencies())) < 1e-5);
}

BOOST_AUTO_TEST_CASE(a_linear_scaling_divides_positions) {
  const at::Tensor found = sines({{"scaling", "linear"}, {"factor", 4.0}});
  BOOST_TEST(largest_difference(found, sines_of(frequencies() / 4)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(a_dynamic_scaling_begins_behind_the_context) {
  const Json dynamic = {{"scaling", "dynamic"}, {"factor", 2.0}, {"context", 5}};
  BOOST_TEST(at::equal(sines(dynamic), sines({{"scaling", "default"}})));
  const double theta = 100 * std::pow(2.0 * 8 / 5 - 1, 6.0 / 4);
  const at::Tensor slower = at::pow(theta, -at::arange(0, 6, 2).to(at::kFloat) / 6);
  BOOST_TEST(largest_difference(sines(dynamic, 8), sines_of(slower, 8)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(llama3_stretches_long_waves_and_leaves_short_ones) {
  // Waves of 6.3, 29 and 135 tokens in an original context of 60: more than 4 rounds, a blend of 2
  // rounds, and less than one.
  const at::Tensor found = sines(
      {{"scaling", "llama3"}, {"factor", 8.0}, {"low", 1.0}, {"high", 4.0}, {"original", 60.0}});
  const at::Tensor plain = frequencies();
  const double rounds = 60 * plain[1].item<double>() / (2 * M_PI), share = (rounds - 1) / 3;
  const at::Tensor wanted =
      at::stack({plain[0], plain[1] * ((1 - share) / 8 + share), plain[2] / 8});
  BOOST_TEST(largest_difference(found, sines_of(wanted)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(yarn_blends_between_two_indices) {
  const at::Tensor found =
      sines({{"scaling", "yarn"}, {"factor", 8.0}, {"low", 0.0}, {"high", 2.0}});
  const at::Tensor plain = frequencies();
  const at::Tensor wanted = at::stack({plain[0], plain[1] * (0.5 + 0.5 / 8), plain[2] / 8});
  BOOST_TEST(largest_difference(found, sines_of(wanted)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(longrope_changes_its_divisors_behind_the_original_context) {
  const Json longrope = {{"scaling", "longrope"},
                         {"short", {1.0, 2.0, 4.0}},
                         {"long", {8.0, 8.0, 8.0}},
                         {"original", 5}};
  const at::Tensor divisors = at::tensor({1.0F, 2.0F, 4.0F});
  BOOST_TEST(largest_difference(sines(longrope), sines_of(frequencies() / divisors)) < 1e-5);
  BOOST_TEST(largest_difference(sines(longrope, 6), sines_of(frequencies() / 8, 6)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(halves_and_neighbours_pair_different_dimensions) {
  at::manual_seed(8);
  const at::Tensor x = at::randn({5, 6});
  const at::Tensor halves = rotated_pairs(x.narrow(1, 0, 3), x.narrow(1, 3, 3));
  BOOST_TEST(largest_difference(turned(x, "halves"), halves.permute({0, 2, 1}).flatten(1)) < 1e-5);
  const at::Tensor neighbours = rotated_pairs(x.slice(1, 0, 6, 2), x.slice(1, 1, 6, 2));
  BOOST_TEST(largest_difference(turned(x, "neighbours"), neighbours.flatten(1)) < 1e-5);
  BOOST_TEST(largest_difference(turned(x, "neighbours_to_halves"),
                                neighbours.permute({0, 2, 1}).flatten(1)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(dimensions_beyond_the_table_pass) {
  at::manual_seed(9);
  const at::Tensor x = at::randn({5, 8});
  const at::Tensor found = turned(x, "halves");
  BOOST_TEST(at::equal(found.narrow(1, 6, 2), x.narrow(1, 6, 2)));
  BOOST_TEST(!at::equal(found.narrow(1, 0, 6), x.narrow(1, 0, 6)));
}

BOOST_AUTO_TEST_CASE(a_table_that_makes_no_sense_is_refused) {
  BOOST_TEST(refusal({{"scaling", "default"}, {"width", 5}}).ends_with("'width' is odd"));
  BOOST_TEST(refusal({{"scaling", "linear"}, {"factor", 0}}).ends_with("wants a positive number"));
  BOOST_TEST(
      refusal(
          {{"scaling", "longrope"}, {"short", {1.0}}, {"long", {1.0, 1.0, 1.0}}, {"original", 5}})
          .ends_with("'short' has 1 numbers, wanted 3"));
  BOOST_TEST(refusal({{"scaling", "yarn"}, {"factor", 2.0}, {"low", 1.0}, {"high", 1.0}})
                 .ends_with("'low' and 'high' are equal"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
