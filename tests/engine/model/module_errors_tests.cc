#include "engine/model/module_errors.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "engine/core/error.h"
#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

constexpr double kTolerance = 1e-4;

// Two linears behind an embedding, of which the second has the name "second".
Json program() {
  return Json::parse(R"({
    "vocab_size": 7, "layers": 1, "logits": "logits", "ops": [
      {"op": "embedding", "ids": "ids", "weight": "embed", "shape": [7, 4], "out": "x"},
      {"op": "linear", "x": "x", "weight": "first", "shape": [5, 4], "out": "x"},
      {"op": "linear", "x": "x", "weight": "second", "shape": [7, 5], "out": "logits"}]})");
}

Weights weights() {
  at::manual_seed(3);
  Weights made;
  made["embed"].weight = at::randn({7, 4});
  made["first"].weight = at::randn({5, 4});
  made["second"].weight = at::randn({7, 5});
  return made;
}

double sqnr_db(const at::Tensor& found, const at::Tensor& wanted) {
  const double signal = wanted.to(at::kDouble).square().sum().item<double>();
  const double noise = (wanted - found).to(at::kDouble).square().sum().item<double>();
  return 10 * std::log10(signal / noise);
}

std::vector<ModuleError> errors_of(const Weights& changed) {
  const Model model(program(), changed), baseline(program(), weights());
  return module_errors(model, baseline, make_batch({{{0, 3, 6}}}, 7));
}

BOOST_AUTO_TEST_SUITE(module_errors_tests)

BOOST_AUTO_TEST_CASE(equal_models_have_none) {
  for (const ModuleError& error : errors_of(weights())) {
    BOOST_TEST(std::isinf(error.added_db));
    BOOST_TEST(std::isinf(error.inherited_db));
    BOOST_TEST(std::isinf(error.total_db));
  }
}

BOOST_AUTO_TEST_CASE(what_a_module_adds_is_told_from_what_it_inherits) {
  Weights changed = weights();
  const Weights original = weights();
  changed["first"].weight = original.at("first").weight + 0.1;
  changed["second"].weight = original.at("second").weight * 1.25;
  const at::Tensor x = original.at("embed").weight.index_select(0, at::tensor({0, 3, 6}));
  const at::Tensor middle = at::linear(x, original.at("first").weight);
  const at::Tensor shifted = at::linear(x, changed["first"].weight);
  const at::Tensor wanted = at::linear(middle, original.at("second").weight);
  const std::vector<ModuleError> errors = errors_of(changed);
  BOOST_TEST(errors.size() == 3U);
  BOOST_TEST(std::isinf(errors[1].inherited_db));
  BOOST_TEST(std::abs(errors[1].added_db - sqnr_db(shifted, middle)) < kTolerance);
  BOOST_TEST(errors[1].total_db == errors[1].added_db);
  const auto through = [&](const at::Tensor& input, const Weights& of) {
    return sqnr_db(at::linear(input, of.at("second").weight), wanted);
  };
  BOOST_TEST(std::abs(errors[2].added_db - through(middle, changed)) < kTolerance);
  BOOST_TEST(std::abs(errors[2].inherited_db - through(shifted, original)) < kTolerance);
  BOOST_TEST(std::abs(errors[2].total_db - through(shifted, changed)) < kTolerance);
}

BOOST_AUTO_TEST_CASE(a_value_that_is_not_finite_makes_the_figure_nan) {
  Weights changed = weights();
  changed["first"].weight[0][0] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<ModuleError> errors = errors_of(changed);
  BOOST_TEST(std::isnan(errors[1].added_db));
  BOOST_TEST(std::isnan(errors[2].inherited_db));
  BOOST_TEST(std::isinf(errors[2].added_db));
}

BOOST_AUTO_TEST_CASE(attention_and_its_cache_are_gone_through) {
  Weights changed = tiny::decoder_weights();
  changed["qkv"].weight = changed["qkv"].weight * 0.9;
  const Model model(tiny::decoder_program(), changed);
  const Model baseline(tiny::decoder_program(), tiny::decoder_weights());
  const auto errors = module_errors(model, baseline, make_batch({{{3, 1, 4}}}, 11));
  BOOST_TEST(errors.size() == 4U);
  BOOST_TEST((errors[2].modules == std::vector<std::string>{"qkv"}));
  BOOST_TEST(std::abs(errors[2].added_db - 20) < kTolerance);  // a tenth less is 20 dB
  BOOST_TEST(std::isfinite(errors[3].inherited_db));
}

BOOST_AUTO_TEST_CASE(models_of_two_programs_are_refused) {
  const Model model(program(), weights());
  const Model other(tiny::decoder_program(), tiny::decoder_weights());
  BOOST_CHECK_THROW(module_errors(model, other, make_batch({{{1}}}, 7)), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
