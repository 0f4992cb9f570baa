#include "engine/model/random_rounding.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>

#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

BOOST_AUTO_TEST_SUITE(random_rounding_tests)

BOOST_AUTO_TEST_CASE(a_value_becomes_one_of_its_two_neighbours) {
  for (const auto dtype : {at::kHalf, at::kBFloat16}) {
    const at::Tensor x = at::rand({1000}).add_(1).to(dtype);  // one unit of the last place is alike
    const double unit = dtype == at::kHalf ? 0x1p-10 : 0x1p-7;
    at::Generator generator = random_rounding(3);
    const at::Tensor moved =
        rounded_at_random(x, generator).to(at::kDouble).sub(x.to(at::kDouble)).div(unit);
    const at::Tensor away = moved.abs();
    BOOST_TEST(away.max().item<double>() == 1.0);
    // Halfway between two values, 1 itself among them, even ones stay.
    BOOST_TEST(away.mean().item<double>() > 0.9);
    BOOST_TEST(std::abs(moved.mean().item<double>()) < 0.15);  // five standard deviations
  }
}

BOOST_AUTO_TEST_CASE(what_has_no_neighbour_stays) {
  const at::Tensor x = at::tensor({0.0, -std::numeric_limits<double>::infinity()}).to(at::kFloat);
  at::Generator generator = random_rounding(1);
  BOOST_TEST(at::equal(rounded_at_random(x, generator), x));
}

BOOST_AUTO_TEST_CASE(without_a_seed_nothing_moves) {
  const at::Tensor x = at::randn({10});
  at::Generator none = random_rounding(std::nullopt);
  BOOST_TEST(rounded_at_random(x, none).is_same(x));
}

BOOST_AUTO_TEST_CASE(a_seed_says_how_a_model_is_rounded) {
  const Model model(tiny::decoder_program(), tiny::decoder_weights());
  const TokenBatch batch = make_batch(std::vector<std::vector<int64_t>>{{4, 0, 9}}, 11);
  const auto run = [&](std::optional<uint64_t> seed) {
    KvCache cache = model.make_cache(3);
    RunOptions options;
    options.random_rounding = seed;
    return model.run(batch, cache, options).logits;
  };
  BOOST_TEST(at::equal(run(1), run(1)));
  BOOST_TEST(!at::equal(run(1), run(2)));
  const double moved = tiny::largest_difference(run(1), run(std::nullopt));
  BOOST_TEST(moved > 0);
  BOOST_TEST(moved < 1e-4);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
