#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>

#include "engine/core/error.h"
#include "engine/model/generate.h"
#include "engine/model/score.h"
#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

constexpr int64_t kVocabulary = 7;

Json lookup(const char* out) {
  return {{"op", "embedding"},
          {"ids", "ids"},
          {"weight", "embed"},
          {"shape", {kVocabulary, kVocabulary}},
          {"out", out}};
}

// The encoder keeps the unit vector of the source's last token; the decoder adds three of it to
// that of its own, and the head asks for the token behind: what comes out is the source's
// successor.
Json copying_program() {
  Json program = tiny::counting_program(kVocabulary);
  program["encoder"] = {{"kept", {"source"}},
                        {"ops",
                         {lookup("s"),
                          {{"op", "tap"}, {"x", "s"}, {"name", "encoder.embeddings"}},
                          {{"op", "last_position"}, {"x", "s"}, {"out", "s"}},
                          {{"op", "scale"}, {"x", "s"}, {"by", 3.0}, {"out", "source"}}}}};
  Json& ops = program["ops"];
  const Json sum = {{"op", "add"}, {"x", "x"}, {"y", "source"}, {"out", "x"}};
  ops.insert(ops.begin() + 1, sum);
  return program;
}

Model copier() {
  return {copying_program(), tiny::counting_weights(kVocabulary)};
}

TokenBatch batch_of(const std::vector<std::vector<int64_t>>& sequences) {
  return make_batch(sequences, kVocabulary);
}

std::string refusal(const Model& model, int64_t sources) {
  KvCache cache = model.make_cache(2);
  if (sources > 0) {
    model.encode(batch_of(std::vector(static_cast<size_t>(sources), std::vector<int64_t>{1})),
                 cache);
  }
  try {
    model.run(batch_of({{1}}), cache);
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

BOOST_AUTO_TEST_SUITE(encoder_decoder_tests)

BOOST_AUTO_TEST_CASE(the_decoder_reads_what_the_encoder_kept_at_every_step) {
  const Model model = copier();
  KvCache cache = model.make_cache(2);
  model.encode(batch_of({{2}}), cache);
  at::Tensor keys = at::ones({1, 0}, at::kLong);
  for (const int64_t token : {0, 5}) {
    const TokenBatch next = next_tokens({token}, keys);
    keys = next.keys;
    const at::Tensor logits = model.run(next, cache).logits.flatten();
    BOOST_TEST(logits.argmax().item<int64_t>() == 3);
    BOOST_TEST(logits[token + 1].item<float>() == 1);
  }
}

BOOST_AUTO_TEST_CASE(hidden_states_of_the_encoder_are_returned_by_it) {
  const Model model = copier();
  KvCache cache = model.make_cache(1);
  const RunOptions options{{"encoder.embeddings"}, false};
  const auto taps = model.encode(batch_of({{2, 4, 4}}), cache, options);
  BOOST_TEST(taps.at("encoder.embeddings").sizes().vec() ==
             (std::vector<int64_t>{1, 3, kVocabulary}));
  BOOST_TEST(model.run(batch_of({{1}}), cache, options).taps.empty());
}

BOOST_AUTO_TEST_CASE(a_decoder_without_its_source_is_refused) {
  BOOST_TEST(refusal(copier(), 0) == "1 sequences for 0 encoded sources");
}

BOOST_AUTO_TEST_CASE(as_many_sources_as_sequences_are_wanted) {
  BOOST_TEST(refusal(copier(), 2) == "1 sequences for 2 encoded sources");
}

BOOST_AUTO_TEST_CASE(a_decoder_alone_has_nothing_to_encode_with) {
  const Model model(tiny::counting_program(kVocabulary), tiny::counting_weights(kVocabulary));
  KvCache cache = model.make_cache(1);
  BOOST_CHECK_THROW(model.encode(batch_of({{1}}), cache), Error);
}

BOOST_AUTO_TEST_CASE(generation_begins_with_the_start_token_and_not_with_the_prompt) {
  GenerateOptions options;
  options.max_new_tokens = 2;
  options.decoder_start = 6;
  const Generation found = generate(copier(), {1, 3}, options);
  BOOST_TEST(found.ids == (std::vector<int64_t>{6, 4, 4}));
}

BOOST_AUTO_TEST_CASE(a_repetition_penalty_knows_the_output_and_not_the_source) {
  GenerateOptions options;
  options.max_new_tokens = 1;
  options.decoder_start = 6;
  options.repetition_penalty = 100;
  BOOST_TEST(generate(copier(), {4, 3}, options).ids == (std::vector<int64_t>{6, 4}));
}

BOOST_AUTO_TEST_CASE(generation_without_a_start_token_is_refused) {
  BOOST_CHECK_EXCEPTION(generate(copier(), {1}, {}), Error, [](const Error& error) {
    return error.message() == "generation has no decoder_start_token_id";
  });
}

BOOST_AUTO_TEST_CASE(a_text_alone_has_no_score) {
  BOOST_CHECK_EXCEPTION(score(copier(), {1, 2}), Error,
                        [](const Error& error) { return error.kind() == ErrorKind::kUnsupported; });
}

BOOST_AUTO_TEST_CASE(an_encoder_that_keeps_nothing_is_refused) {
  Json program = copying_program();
  program["encoder"]["kept"] = Json::array();
  BOOST_CHECK_THROW(Model(program, tiny::counting_weights(kVocabulary)), Error);
}

BOOST_AUTO_TEST_CASE(a_kept_register_that_nothing_writes_is_refused_with_the_nearest_name) {
  Json program = copying_program();
  program["encoder"]["kept"] = {"sourc"};
  BOOST_CHECK_EXCEPTION(Model(program, tiny::counting_weights(kVocabulary)), Error,
                        [](const Error& error) {
                          return error.message() == "no instruction writes 'sourc'" &&
                                 error.hint().find("source") != std::string::npos;
                        });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
