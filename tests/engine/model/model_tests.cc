#include "engine/model/model.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>

#include "engine/core/error.h"
#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

using tiny::largest_difference;

Model decoder() {
  return Model(tiny::decoder_program(), tiny::decoder_weights());
}

// The error that building `program` raises.
Error error_of(const Json& program, const Weights& weights) {
  try {
    const Model model(program, weights);
  } catch (const Error& error) {
    return error;
  }
  BOOST_FAIL("the program was accepted");
  return Error(ErrorKind::kInternal, "");
}

bool says(const Error& error, const std::string& text) {
  return error.message().find(text) != std::string::npos;
}

// decoder_program with attributes of one instruction, counted from 1, replaced.
Json with(size_t instruction, const Json& attributes) {
  Json program = tiny::decoder_program();
  program["ops"][instruction - 1].update(attributes);
  return program;
}

BOOST_AUTO_TEST_SUITE(model_tests)

BOOST_AUTO_TEST_CASE(attention_is_the_formula_written_out) {
  const Weights weights = tiny::decoder_weights();
  const std::vector<int64_t> ids = {3, 1, 4, 1, 5};
  const at::Tensor x = weights.at("embed").weight.index_select(0, at::tensor(ids));
  const at::Tensor h = at::layer_norm(x, {15}, weights.at("norm").weight, weights.at("norm").bias);
  const at::Tensor qkv = at::matmul(h, weights.at("qkv").weight.t()).view({5, 3, 3, 5});
  const double slopes[] = {1.0 / 16, 1.0 / 256, 0.25};
  at::Tensor merged = at::empty({5, 15});
  for (int64_t head = 0; head < 3; ++head) {
    const auto part = [&](int64_t which) { return qkv.select(1, head).select(1, which); };
    const at::Tensor key = at::arange(5);
    at::Tensor scores = 0.4 * at::matmul(part(0), part(1).t()) + slopes[head] * key;
    scores.masked_fill_(key.gt(key.unsqueeze(1)), -INFINITY);
    merged.narrow(1, head * 5, 5).copy_(at::matmul(at::softmax(scores, 1), part(2)));
  }
  const at::Tensor wanted = at::matmul(x + merged, weights.at("embed").weight.t());
  BOOST_TEST(largest_difference(tiny::logits(decoder(), {ids})[0], wanted) < 1e-4);
}

BOOST_AUTO_TEST_CASE(tokens_one_by_one_through_the_cache_give_the_same_logits) {
  const Model model = decoder();
  const std::vector<int64_t> ids = {2, 7, 1, 8, 2, 8};
  const at::Tensor whole = tiny::logits(model, {ids})[0];
  KvCache cache = model.make_cache(6);
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto step =
        model.run(next_tokens({ids[i]}, at::ones({1, cache.length()}, at::kLong)), cache).logits;
    BOOST_TEST(largest_difference(step[0][0], whole[static_cast<int64_t>(i)]) < 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(a_prefill_and_a_chunk_give_the_same_logits) {
  const Model model = decoder();
  const std::vector<int64_t> ids = {2, 7, 1, 8, 2};
  KvCache cache = model.make_cache(5);
  const std::vector<int64_t> head(ids.begin(), ids.begin() + 2);
  model.run(make_batch({&head, 1}, 11), cache);
  const TokenBatch rest{at::tensor(ids).narrow(0, 2, 3).unsqueeze(0), at::ones({1, 5}, at::kLong)};
  const at::Tensor whole = tiny::logits(model, {ids}).narrow(1, 2, 3);
  BOOST_TEST(largest_difference(model.run(rest, cache).logits, whole) < 1e-5);
}

BOOST_AUTO_TEST_CASE(left_padding_changes_no_logit) {
  const Model model = decoder();
  const std::vector<int64_t> brief = {5, 9}, longer = {1, 2, 3, 4, 5};
  const at::Tensor both = tiny::logits(model, {brief, longer});
  BOOST_TEST(largest_difference(both[0].narrow(0, 3, 2), tiny::logits(model, {brief})[0]) < 1e-5);
  BOOST_TEST(largest_difference(both[1], tiny::logits(model, {longer})[0]) < 1e-5);
}

BOOST_AUTO_TEST_CASE(the_last_position_alone_is_the_last_row_of_all) {
  const Model model = decoder();
  const std::vector<int64_t> ids = {1, 2, 3};
  KvCache cache = model.make_cache(3);
  const at::Tensor last =
      model.run(make_batch({&ids, 1}, 11), cache, {{}, /*last_position_only=*/true}).logits;
  BOOST_TEST(last.size(1) == 1);
  BOOST_TEST(largest_difference(last[0][0], tiny::logits(model, {ids})[0][2]) < 1e-5);
}

BOOST_AUTO_TEST_CASE(taps_return_the_hidden_states_asked_for_and_no_other) {
  const Model model = decoder();
  const std::vector<int64_t> ids = {3, 4};
  KvCache cache = model.make_cache(2);
  const auto found = model.run(make_batch({&ids, 1}, 11), cache, {{"embeddings"}, false}).taps;
  BOOST_TEST(model.taps() == (std::vector<std::string>{"embeddings", "layer.0"}));
  BOOST_TEST(found.size() == 1u);
  const at::Tensor rows = tiny::decoder_weights().at("embed").weight.narrow(0, 3, 2);
  BOOST_TEST(at::equal(found.at("embeddings")[0], rows));
}

BOOST_AUTO_TEST_CASE(an_unknown_tap_is_refused_with_the_nearest) {
  const Model model = decoder();
  const std::vector<int64_t> ids = {3};
  KvCache cache = model.make_cache(1);
  BOOST_CHECK_EXCEPTION(model.run(make_batch({&ids, 1}, 11), cache, {{"layer.1"}, false}), Error,
                        [](const Error& error) {
                          return says(error, "'layer.1'") &&
                                 error.hint().find("'layer.0'") != std::string::npos;
                        });
}

BOOST_AUTO_TEST_CASE(more_tokens_than_the_cache_was_made_for_are_refused) {
  const Model model = decoder();
  const std::vector<int64_t> ids = {3, 4, 5};
  KvCache cache = model.make_cache(2);
  BOOST_CHECK_EXCEPTION(model.run(make_batch({&ids, 1}, 11), cache), Error,
                        [](const Error& error) { return says(error, "holds 2 tokens, wanted 3"); });
}

BOOST_AUTO_TEST_CASE(an_unknown_op_is_named_with_its_index_and_the_nearest) {
  const Error error = error_of(with(5, {{"op", "layer_nrom"}}), tiny::decoder_weights());
  BOOST_TEST(says(error, "instruction 5, 'layer_nrom': unknown op"));
  BOOST_TEST(error.hint() == "did you mean 'layer_norm'?");
}

BOOST_AUTO_TEST_CASE(an_unknown_attribute_is_refused) {
  const Error error = error_of(with(5, {{"epsilon", 1}}), tiny::decoder_weights());
  BOOST_TEST(says(error, "instruction 5, 'layer_norm': unknown attribute 'epsilon'"));
}

BOOST_AUTO_TEST_CASE(a_missing_attribute_is_named) {
  Json program = tiny::decoder_program();
  program["ops"][4].erase("eps");
  BOOST_TEST(says(error_of(program, tiny::decoder_weights()), "has no attribute 'eps'"));
}

BOOST_AUTO_TEST_CASE(an_attribute_of_another_type_is_refused) {
  const Weights weights = tiny::decoder_weights();
  BOOST_TEST(says(error_of(with(5, {{"eps", "small"}}), weights), "wants a number"));
  BOOST_TEST(says(error_of(with(5, {{"x", 1}}), weights), "wants a text"));
  BOOST_TEST(says(error_of(with(5, {{"bias", 1}}), weights), "wants true or false"));
  BOOST_TEST(says(error_of(with(7, {{"out", "q"}}), weights), "wants 3 names"));
  BOOST_TEST(says(error_of(with(7, {{"out", {1, 2, 3}}}), weights), "wants names"));
  BOOST_TEST(says(error_of(with(7, {{"heads", 2.5}}), weights), "wanted a whole number"));
  BOOST_TEST(says(error_of(with(3, {{"slopes", {1, 2}}}), weights), "{base, first, step, count}"));
}

BOOST_AUTO_TEST_CASE(a_register_that_nothing_has_written_is_refused) {
  const Error error = error_of(with(9, {{"bias", "alibii"}}), tiny::decoder_weights());
  BOOST_TEST(says(error, "instruction 9, 'biased_scores': unknown register 'alibii'"));
  BOOST_TEST(error.hint() == "did you mean 'alibi'?");
}

BOOST_AUTO_TEST_CASE(a_layer_that_the_cache_lacks_is_refused) {
  BOOST_TEST(says(error_of(with(8, {{"layer", 1}}), tiny::decoder_weights()),
                  "attribute 'layer' is 1, wanted a whole number of 0 to 0"));
}

BOOST_AUTO_TEST_CASE(an_unknown_layout_is_refused_with_the_nearest) {
  const Error error = error_of(with(7, {{"layout", "per_heads"}}), tiny::decoder_weights());
  BOOST_TEST(error.hint() == "did you mean 'per_head'?");
}

BOOST_AUTO_TEST_CASE(interleaved_heads_must_be_equally_many) {
  BOOST_TEST(says(error_of(with(7, {{"kv_heads", 1}}), tiny::decoder_weights()),
                  "as many kv_heads as heads"));
}

BOOST_AUTO_TEST_CASE(a_module_without_a_weight_is_named) {
  Weights weights = tiny::decoder_weights();
  weights.erase("qkv");
  const Error error = error_of(tiny::decoder_program(), weights);
  BOOST_TEST(says(error, "no weight for 'qkv'"));
  BOOST_TEST((error.kind() == ErrorKind::kCheckpoint));
}

BOOST_AUTO_TEST_CASE(a_weight_of_another_shape_is_named_with_both) {
  Weights weights = tiny::decoder_weights();
  weights["qkv"].weight = at::zeros({45, 16});
  BOOST_TEST(says(error_of(tiny::decoder_program(), weights),
                  "'qkv.weight' is [45, 16], the config wants [45, 15]"));
}

BOOST_AUTO_TEST_CASE(a_bias_that_is_missing_too_many_or_of_another_size_is_refused) {
  Weights weights = tiny::decoder_weights();
  weights["norm"].bias = at::Tensor();
  BOOST_TEST(says(error_of(tiny::decoder_program(), weights), "'norm.bias' is missing"));
  weights["norm"].bias = at::zeros({14});
  BOOST_TEST(says(error_of(tiny::decoder_program(), weights), "'norm.bias' is [14]"));
  weights["norm"].bias = at::zeros({15});
  weights["qkv"].bias = at::zeros({45});
  BOOST_TEST(says(error_of(tiny::decoder_program(), weights), "'qkv.bias' is there"));
}

BOOST_AUTO_TEST_CASE(codes_in_the_place_of_a_dense_weight_are_refused) {
  Weights weights = tiny::decoder_weights();
  weights["qkv"].weight = at::zeros({45, 15}, at::kByte);
  BOOST_TEST(says(error_of(tiny::decoder_program(), weights),
                  "'qkv.weight' is Byte [45, 15], wanted a floating dtype"));
}

BOOST_AUTO_TEST_CASE(int8_parts_of_another_dtype_or_size_are_refused) {
  Weights weights = tiny::decoder_weights();
  weights["qkv"] = {};
  weights["qkv"].int8 = Int8Weight{at::zeros({45, 15}, at::kByte), at::ones({45}), 6};
  BOOST_TEST(says(error_of(tiny::decoder_program(), weights), "wanted int8 codes"));
  weights["qkv"].int8 = Int8Weight{at::zeros({45, 15}, at::kChar), at::ones({44}), 6};
  BOOST_TEST(says(error_of(tiny::decoder_program(), weights), "'qkv (absmax)' is Float [44]"));
  weights["qkv"].int8 = Int8Weight{at::zeros({45, 16}, at::kChar), at::ones({45}), 6};
  BOOST_TEST(says(error_of(tiny::decoder_program(), weights), "'qkv.weight' is [45, 16]"));
}

BOOST_AUTO_TEST_CASE(an_embedding_needs_its_weight_dense) {
  Weights weights = tiny::decoder_weights();
  weights["embed"] = {};
  weights["embed"].int8 = Int8Weight{at::zeros({11, 15}, at::kChar), at::ones({11}), 6};
  BOOST_TEST((error_of(tiny::decoder_program(), weights).kind() == ErrorKind::kUnsupported));
}

BOOST_AUTO_TEST_CASE(a_program_without_its_fields_is_refused) {
  const Weights weights = tiny::decoder_weights();
  for (const char* name : {"vocab_size", "layers", "logits", "ops"}) {
    Json program = tiny::decoder_program();
    program.erase(name);
    BOOST_TEST(says(error_of(program, weights), std::string("no field '") + name + "'"));
  }
  BOOST_TEST(says(error_of(Json::array(), weights), "no field"));
}

BOOST_AUTO_TEST_CASE(a_count_of_layers_out_of_range_is_refused) {
  for (const Json& layers : {Json(0), Json(-1), Json(1e9), Json("4"), Json(nullptr)}) {
    Json program = tiny::decoder_program();
    program["layers"] = layers;
    BOOST_TEST(says(error_of(program, tiny::decoder_weights()), "'layers'"));
  }
}

BOOST_AUTO_TEST_CASE(logits_that_no_instruction_writes_are_refused) {
  Json program = tiny::decoder_program();
  program["logits"] = "logit";
  BOOST_TEST(says(error_of(program, tiny::decoder_weights()), "no instruction writes 'logit'"));
}

BOOST_AUTO_TEST_CASE(instructions_that_are_no_objects_are_refused) {
  Json program = tiny::decoder_program();
  program["ops"] = {1};
  BOOST_TEST(says(error_of(program, {}), "instruction 1"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
