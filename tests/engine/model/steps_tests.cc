#include "engine/model/steps.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>

#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

RunResult run(const Model& model, const std::vector<std::vector<int64_t>>& sequences,
              const RunOptions& options) {
  const TokenBatch batch = make_batch(sequences, model.vocab_size());
  KvCache cache = model.make_cache(batch.ids.size(1));
  return run_in_steps(model, batch, cache, options);
}

BOOST_AUTO_TEST_SUITE(steps_tests)

BOOST_AUTO_TEST_CASE(any_step_gives_the_logits_of_one_run) {
  const Model model(tiny::decoder_program(), tiny::decoder_weights());
  const std::vector<std::vector<int64_t>> sequences = {{4, 0, 9, 9, 2, 7, 1}, {5, 3, 8}};
  const at::Tensor whole = run(model, sequences, {}).logits;
  for (const int64_t step : {1, 2, 3, 7, 100}) {
    RunOptions options;
    options.step = step;
    const RunResult found = run(model, sequences, options);
    BOOST_TEST(found.logits.sizes() == whole.sizes());
    BOOST_TEST(found.hidden.sizes() == run(model, sequences, {}).hidden.sizes());
    // Behind the padding of the second sequence, of which nothing is asked.
    BOOST_TEST(tiny::largest_difference(found.logits[0], whole[0]) < 1e-4);
    BOOST_TEST(tiny::largest_difference(found.logits[1].narrow(0, 4, 3), whole[1].narrow(0, 4, 3)) <
               1e-4);
  }
}

BOOST_AUTO_TEST_CASE(the_last_position_is_that_of_the_last_step) {
  const Model model(tiny::decoder_program(), tiny::decoder_weights());
  RunOptions options;
  options.step = 2;
  options.last_position_only = true;
  options.taps = {"layer.0"};
  const RunResult found = run(model, {{4, 0, 9, 9, 2}}, options);
  const at::Tensor whole = run(model, {{4, 0, 9, 9, 2}}, {}).logits;
  BOOST_TEST(found.logits.size(1) == 1);
  BOOST_TEST(tiny::largest_difference(found.logits[0][0], whole[0][4]) < 1e-4);
  BOOST_TEST(found.taps.at("layer.0").size(1) == 5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
