#include "engine/model/score.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>

#include "engine/core/error.h"
#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

BOOST_AUTO_TEST_SUITE(score_tests)

BOOST_AUTO_TEST_CASE(is_the_negative_log_of_the_softmax_at_the_next_token) {
  const Model model(tiny::decoder_program(), tiny::decoder_weights());
  const std::vector<int64_t> ids = {4, 0, 9, 9, 2};
  const at::Tensor found = score(model, ids);
  const at::Tensor chances = at::softmax(tiny::logits(model, {ids})[0].to(at::kDouble), 1);
  BOOST_TEST(found.sizes().vec() == std::vector<int64_t>{4});
  for (int64_t i = 0; i < 4; ++i) {
    const double chance = chances[i][ids[static_cast<size_t>(i + 1)]].item<double>();
    BOOST_TEST(found[i].item<double>() == -std::log(chance), boost::test_tools::tolerance(1e-4));
  }
}

BOOST_AUTO_TEST_CASE(half_precision_logits_are_scored_in_float) {
  Weights weights = tiny::decoder_weights();
  for (auto& [name, module] : weights) {
    module.weight = module.weight.to(at::kHalf);
    if (module.bias.defined()) module.bias = module.bias.to(at::kHalf);
  }
  const Model model(tiny::decoder_program(), weights);
  BOOST_TEST((score(model, {1, 2}).scalar_type() == at::kFloat));
}

BOOST_AUTO_TEST_CASE(one_token_has_no_score) {
  const Model model(tiny::decoder_program(), tiny::decoder_weights());
  BOOST_CHECK_THROW(score(model, {1}), Error);
  BOOST_CHECK_THROW(score(model, {}), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
