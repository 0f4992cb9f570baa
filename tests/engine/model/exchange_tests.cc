#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>

#include "engine/core/error.h"
#include "engine/model/divergence.h"
#include "engine/model/generate.h"
#include "engine/model/model.h"
#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

const std::vector<int64_t> kIds = {3, 1, 4, 1, 5};

// A stack of linears between taps: "w.0", "w.1", "w.2", and a head that has the embedding's weight.
Json stack_program() {
  return Json::parse(R"({
    "vocab_size": 11, "layers": 1, "logits": "logits", "ops": [
      {"op": "embedding", "ids": "ids", "weight": "embed", "shape": [11, 15], "out": "x"},
      {"op": "tap", "x": "x", "name": "embeddings"},
      {"op": "linear", "x": "x", "weight": "w.0", "shape": [15, 15], "out": "x"},
      {"op": "tap", "x": "x", "name": "layer.0"},
      {"op": "linear", "x": "x", "weight": "w.1", "shape": [15, 15], "out": "x"},
      {"op": "tap", "x": "x", "name": "layer.1"},
      {"op": "linear", "x": "x", "weight": "w.2", "shape": [15, 15], "out": "x"},
      {"op": "linear", "x": "x", "weight": "embed", "shape": [11, 15], "out": "logits"}]})");
}

Weights stack_weights(uint64_t seed) {
  at::manual_seed(seed);
  Weights weights;
  weights["embed"].weight = at::randn({11, 15});
  for (const char* name : {"w.0", "w.1", "w.2"}) weights[name].weight = at::randn({15, 15});
  return weights;
}

Model stack(uint64_t seed) {
  return Model(stack_program(), stack_weights(seed));
}

at::Tensor logits(const Model& model, const std::vector<int64_t>& ids = kIds) {
  return tiny::logits(model, {ids});
}

BOOST_AUTO_TEST_SUITE(exchange_tests)

BOOST_AUTO_TEST_CASE(a_model_with_some_of_anothers_modules_is_the_one_built_so) {
  Weights mixed = stack_weights(1);
  mixed["w.1"] = stack_weights(2)["w.1"];
  const Model built(stack_program(), mixed);
  BOOST_TEST(at::equal(logits(stack(1).with(stack(2), {"w.1"})), logits(built)));
}

BOOST_AUTO_TEST_CASE(none_and_all_exchanged_are_the_two_models) {
  const Model one = stack(1), other = stack(2);
  BOOST_TEST(at::equal(logits(one.with(other, {})), logits(one)));
  const Model all = one.with(other, {"embed", "w.0", "w.1", "w.2"});
  BOOST_TEST(at::equal(logits(all), logits(other)));
}

BOOST_AUTO_TEST_CASE(exact_logits_are_those_of_the_exchanged_head) {
  const Model other = stack(2), mixed = stack(1).with(other, {"embed"});
  const at::Tensor hidden = at::randn({15}), rows = at::tensor({0, 7}, at::kLong);
  BOOST_TEST(at::equal(mixed.exact_logits(hidden, rows), other.exact_logits(hidden, rows)));
}

BOOST_AUTO_TEST_CASE(a_model_outlives_the_one_that_its_modules_came_from) {
  std::optional<Model> other = stack(2);
  const Model mixed = stack(1).with(*other, {"w.0"});
  const at::Tensor before = logits(mixed);
  other.reset();
  BOOST_TEST(at::equal(logits(mixed), before));
}

BOOST_AUTO_TEST_CASE(a_name_that_no_instruction_has_is_refused) {
  BOOST_CHECK_EXCEPTION(stack(1).with(stack(2), {"w.O"}), Error, [](const Error& error) {
    return error.message() == "the model's program has no module 'w.O'" &&
           error.hint().find("w.0") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(models_of_two_programs_are_refused) {
  const Model other(tiny::decoder_program(), tiny::decoder_weights());
  BOOST_CHECK_EXCEPTION(stack(1).with(other, {}), Error, [](const Error& error) {
    return error.message() == "the two models were made from different programs";
  });
}

BOOST_AUTO_TEST_CASE(groups_are_the_modules_of_an_instruction_each_once) {
  const std::vector<std::vector<std::string>> wanted = {{"embed"}, {"w.0"}, {"w.1"}, {"w.2"}};
  BOOST_TEST((stack(1).module_groups() == wanted));
}

BOOST_AUTO_TEST_CASE(prefixes_that_are_kept_change_no_logit) {
  const Model one = stack(1).remembering(1 << 20), other = stack(2);
  const std::vector<std::set<std::string>> sets = {
      {}, {"w.2"}, {"w.1"}, {"w.0"}, {"w.0", "w.2"}, {"w.1"}, {"embed"}, {}};
  for (const auto& names : sets) {
    for (const std::vector<int64_t>& ids : {kIds, std::vector<int64_t>{3, 1, 4, 1, 6}}) {
      const at::Tensor wanted = logits(stack(1).with(other, names), ids);
      BOOST_TEST(at::equal(logits(one.with(other, names), ids), wanted));
    }
  }
}

BOOST_AUTO_TEST_CASE(prefixes_take_no_more_than_their_budget) {
  const Model one = stack(1).remembering(0);
  BOOST_TEST(at::equal(logits(one), logits(one)));
  BOOST_TEST(at::equal(logits(one), logits(stack(1))));
}

BOOST_AUTO_TEST_CASE(a_run_that_others_continue_is_run_whole) {
  const Model plain(tiny::decoder_program(), tiny::decoder_weights());
  const Model kept = plain.remembering(1 << 20);
  logits(kept);  // leaves its prefix
  GenerateOptions options;
  options.max_new_tokens = 4;
  BOOST_TEST((generate(kept, kIds, options).ids == generate(plain, kIds, options).ids));
}

BOOST_AUTO_TEST_CASE(taps_are_there_whatever_is_kept) {
  const Model one = stack(1).remembering(1 << 20);
  logits(one);
  const TokenBatch batch = make_batch({{kIds}}, one.vocab_size());
  KvCache cache = one.make_cache(batch.ids.size(1));
  const RunResult found = one.run(batch, cache, {.taps = {"embeddings"}});
  BOOST_TEST(found.taps.contains("embeddings"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
