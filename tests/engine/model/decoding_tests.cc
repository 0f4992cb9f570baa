#include "engine/model/decoding.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

#include "engine/model/generate.h"
#include "engine/model/step/neighbours.h"
#include "engine/tensor/packed.h"
#include "tests/engine/model/plain_step.h"
#include "tests/engine/model/tiny_model.h"

// Steps as plain loops against the program, instruction by instruction.
namespace qspec {
namespace {

// Two layers of width 32 with 4 heads of 8 over a vocabulary of 50.
struct Tiny {
  Json program = {{"vocab_size", 50}, {"layers", 2}, {"logits", "logits"}, {"ops", Json::array()}};
  Weights weights;
  at::ScalarType dtype = at::kFloat;

  explicit Tiny(at::ScalarType of) : dtype(of) {
    at::manual_seed(11);
    module("embed", {50, 32}, false);
    emit({{"op", "embedding"},
          {"ids", "ids"},
          {"weight", "embed"},
          {"shape", {50, 32}},
          {"out", "x"}});
  }

  void module(const std::string& name, std::vector<int64_t> shape, bool bias, double size = 1) {
    weights[name].weight = (at::randn(shape) * size).to(dtype);
    if (bias) weights[name].bias = (at::randn({shape.front()}) * 0.3).to(dtype);
  }

  void emit(const Json& op) { program["ops"].push_back(op); }

  void linear(const std::string& name, const char* x, const char* out, int64_t rows,
              int64_t columns, bool bias = false) {
    module(name, {rows, columns}, bias, 0.25);
    emit({{"op", "linear"},
          {"x", x},
          {"weight", name},
          {"shape", {rows, columns}},
          {"bias", bias},
          {"out", out}});
  }

  void rms_norm(const std::string& name, const char* x, const char* out) {
    module(name, {32}, false);
    emit({{"op", "rms_norm"},
          {"x", x},
          {"weight", name},
          {"shape", {32}},
          {"weighting", "after_rounding"},
          {"eps", 1e-6},
          {"out", out}});
  }

  void layer_norm(const std::string& name, const char* x, const char* out) {
    module(name, {32}, true);
    emit({{"op", "layer_norm"},
          {"x", x},
          {"weight", name},
          {"shape", {32}},
          {"bias", true},
          {"eps", 1e-5},
          {"out", out}});
  }

  void add(const char* x, const char* y, const char* out) {
    emit({{"op", "add"}, {"x", x}, {"y", y}, {"out", out}});
  }

  void rope(const char* style, int64_t width, bool precise) {
    emit({{"op", "rope_table"},
          {"positions", "positions"},
          {"like", "x"},
          {"width", width},
          {"theta", 100.0},
          {"scaling", "default"},
          {"amplitude", 1},
          {"out", {"cos", "sin"}}});
    for (const char* part : {"q", "k"}) {
      emit({{"op", "rope"},
            {"x", part},
            {"cos", "cos"},
            {"sin", "sin"},
            {"style", style},
            {"precise", precise},
            {"out", part}});
    }
  }

  void cache(int layer) {
    emit({{"op", "cache"}, {"layer", layer}, {"k", "k"}, {"v", "v"}, {"out", {"k", "v"}}});
  }

  void fused_attention(int64_t window) {
    emit({{"op", "attention_mask"},
          {"keys", "keys"},
          {"like", "x"},
          {"window", window},
          {"out", "mask"}});
    emit({{"op", "sdpa"},
          {"q", "q"},
          {"k", "k"},
          {"v", "v"},
          {"mask", "mask"},
          {"scale", 0.35},
          {"out", "heads"}});
    emit({{"op", "merge_heads"}, {"x", "heads"}, {"out", "heads"}});
  }

  void head() {
    emit({{"op", "last_position"}, {"x", "x"}, {"out", "x"}});
    linear("head", "x", "logits", 50, 32);
  }
};

// As LLaMA has it, two heads of queries for one of keys; biases as Qwen2.
Tiny llama(at::ScalarType dtype, int64_t window = 0) {
  Tiny tiny(dtype);
  for (int layer = 0; layer < 2; ++layer) {
    const std::string at = std::to_string(layer) + ".";
    tiny.rms_norm(at + "norm1", "x", "normed");
    tiny.linear(at + "q", "normed", "q", 32, 32, true);
    tiny.linear(at + "k", "normed", "k", 16, 32, true);
    tiny.linear(at + "v", "normed", "v", 16, 32, true);
    for (const char* part : {"q", "k", "v"}) {
      tiny.emit({{"op", "view_heads"}, {"x", part}, {"width", 8}, {"out", part}});
    }
    tiny.rope("halves", 8, false);
    tiny.cache(layer);
    tiny.fused_attention(window);
    tiny.linear(at + "o", "heads", "branch", 32, 32);
    tiny.add("branch", "x", "x");
    tiny.rms_norm(at + "norm2", "x", "normed");
    tiny.linear(at + "gate", "normed", "gate", 64, 32);
    tiny.linear(at + "up", "normed", "inner", 64, 32);
    tiny.emit({{"op", "activation"}, {"x", "gate"}, {"kind", "silu"}, {"out", "gate"}});
    tiny.emit({{"op", "mul"}, {"x", "gate"}, {"y", "inner"}, {"out", "inner"}});
    tiny.linear(at + "down", "inner", "branch", 32, 64);
    tiny.add("branch", "x", "x");
  }
  tiny.rms_norm("norm", "x", "x");
  tiny.head();
  return tiny;
}

// As BLOOM has it: positions in the scores, which are rounded step by step.
Tiny bloom(at::ScalarType dtype) {
  Tiny tiny(dtype);
  tiny.layer_norm("embed_norm", "x", "x");
  tiny.emit({{"op", "alibi"},
             {"keys", "keys"},
             {"like", "x"},
             {"slopes", {{{"base", 0.25}, {"first", 1}, {"step", 1}, {"count", 4}}}},
             {"out", "alibi"}});
  tiny.emit({{"op", "causal_mask"}, {"keys", "keys"}, {"like", "x"}, {"out", "mask"}});
  for (int layer = 0; layer < 2; ++layer) {
    const std::string at = std::to_string(layer) + ".";
    tiny.layer_norm(at + "norm1", "x", "normed");
    tiny.linear(at + "qkv", "normed", "qkv", 96, 32, true);
    tiny.emit({{"op", "split_heads"},
               {"x", "qkv"},
               {"layout", "per_head"},
               {"heads", 4},
               {"kv_heads", 4},
               {"width", 8},
               {"out", {"q", "k", "v"}}});
    tiny.cache(layer);
    tiny.emit({{"op", "biased_scores"},
               {"q", "q"},
               {"k", "k"},
               {"bias", "alibi"},
               {"scale", 0.35},
               {"out", "scores"}});
    tiny.add("scores", "mask", "scores");
    tiny.emit({{"op", "softmax"}, {"x", "scores"}, {"like", "v"}, {"out", "weights"}});
    tiny.emit({{"op", "weighted_values"}, {"weights", "weights"}, {"v", "v"}, {"out", "heads"}});
    tiny.emit({{"op", "merge_heads"}, {"x", "heads"}, {"out", "heads"}});
    tiny.linear(at + "dense", "heads", "branch", 32, 32, true);
    tiny.add("branch", "x", "x");
    tiny.layer_norm(at + "norm2", "x", "normed");
    tiny.linear(at + "up", "normed", "inner", 64, 32, true);
    tiny.emit({{"op", "activation"}, {"x", "inner"}, {"kind", "bloom_gelu"}, {"out", "inner"}});
    tiny.linear(at + "down", "inner", "branch", 32, 64, true);
    tiny.add("branch", "x", "x");
  }
  tiny.head();
  return tiny;
}

// As GPT-NeoX and Falcon have it: attention and MLP side by side, rotation of a part of each head,
// a sum of three, groups in a fused projection.
Tiny parallel(at::ScalarType dtype) {
  Tiny tiny(dtype);
  for (int layer = 0; layer < 2; ++layer) {
    const std::string at = std::to_string(layer) + ".";
    tiny.layer_norm(at + "norm", "x", "normed");
    tiny.linear(at + "qkv", "normed", "qkv", 64, 32);
    tiny.emit({{"op", "split_heads"},
               {"x", "qkv"},
               {"layout", "per_group"},
               {"heads", 4},
               {"kv_heads", 2},
               {"width", 8},
               {"out", {"q", "k", "v"}}});
    tiny.rope("neighbours", 4, true);
    tiny.cache(layer);
    tiny.fused_attention(0);
    tiny.linear(at + "dense", "heads", "attended", 32, 32);
    tiny.linear(at + "up", "normed", "inner", 64, 32);
    tiny.emit({{"op", "activation"}, {"x", "inner"}, {"kind", "gelu"}, {"out", "inner"}});
    tiny.linear(at + "down", "inner", "branch", 32, 64);
    tiny.add("branch", "attended", "sum");
    tiny.add("sum", "x", "x");
  }
  tiny.emit({{"op", "scale"}, {"x", "x"}, {"by", 0.37}, {"rounded", true}, {"out", "x"}});
  tiny.head();
  tiny.emit({{"op", "softcap"}, {"x", "logits"}, {"cap", 3.0}, {"out", "logits"}});
  return tiny;
}

// The linears as 4-bit codes in blocks of 16.
void quantize(Tiny& tiny) {
  const at::Tensor codebook = at::linspace(-1, 1, 16);
  for (const Json& op : tiny.program["ops"]) {
    if (op["op"] != "linear") continue;
    ModuleWeights& module = tiny.weights[op["weight"].get<std::string>()];
    const std::vector<int64_t> shape = module.weight.sizes().vec();
    Codebook4 codes{at::randint(0, 256, {shape[0] * shape[1] / 2}).to(at::kByte), codebook,
                    at::rand({shape[0] * shape[1] / 16}) * 0.3, 16, shape};
    module.packed = std::make_shared<const CodebookBlockwise>(std::move(codes));
    module.weight.reset();
  }
}

Model with_steps(const Tiny& tiny) {
  BuildOptions options;
  options.step_kernels = &cuda::plain_step_table();
  return {tiny.program, tiny.weights, options};
}

const std::vector<std::vector<int64_t>> kPrompts = {{3, 1, 4, 1, 5}, {9, 2}, {6, 5, 3}};

// The largest difference of the logits of some steps, both given the same tokens.
double largest_difference(const Tiny& tiny) {
  const Model model = with_steps(tiny);
  TokenBatch batch = make_batch(kPrompts, 50);
  KvCache plain = model.make_cache(12), stepped = model.make_cache(12);
  model.run(batch, plain);
  model.run(batch, stepped);
  const auto decoding = Decoding::begin(model, stepped, batch.keys, 2);
  BOOST_REQUIRE(decoding != nullptr);
  double most = 0;
  for (int64_t step = 0; step < 5; ++step) {
    const std::vector<int64_t> ids = {step, 2 * step + 1, 40 - step};
    batch = next_tokens(ids, batch.keys);
    decoding->give(batch.ids);
    decoding->run(1);
    decoding->wait();
    const at::Tensor wanted = model.run(batch, plain).logits;
    const at::Tensor found = decoding->kept(step, 1).logits.squeeze(0).unsqueeze(1);
    BOOST_TEST(found.sizes() == wanted.sizes());
    most = std::max(most, tiny::largest_difference(found.to(at::kFloat), wanted.to(at::kFloat)));
  }
  return most;
}

std::vector<std::vector<int64_t>> generated(const Model& model, int64_t count) {
  GenerateOptions options;
  options.max_new_tokens = count;
  options.eos = {7, 19, 33};
  std::vector<std::vector<int64_t>> ids;
  for (const Generation& one : generate_batch(model, kPrompts, options)) ids.push_back(one.ids);
  return ids;
}

size_t launches_of(const Tiny& tiny, std::string_view kernel) {
  const Model model = with_steps(tiny);
  const TokenBatch batch = make_batch(kPrompts, 50);
  KvCache cache = model.make_cache(12);
  model.run(batch, cache);
  const step::Plan plan = step::plan_step(model.step_source(), cache, at::zeros({3}, at::kInt));
  size_t count = 0;
  for (const step::Launch& launch : plan.launches) count += launch.kernel == kernel;
  return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(decoding_tests)

BOOST_AUTO_TEST_CASE(steps_give_the_logits_of_the_program) {
  constexpr double kRounding = 2e-5;  // sums in another order
  BOOST_TEST(largest_difference(llama(at::kFloat)) < kRounding);
  BOOST_TEST(largest_difference(llama(at::kFloat, 3)) < kRounding);
  BOOST_TEST(largest_difference(bloom(at::kFloat)) < kRounding);
  BOOST_TEST(largest_difference(parallel(at::kFloat)) < kRounding);
}

BOOST_AUTO_TEST_CASE(steps_round_where_the_program_does) {
  // A step of bfloat16 at the size of these logits is 0.03; most roundings agree.
  BOOST_TEST(largest_difference(llama(at::kBFloat16)) < 0.1);
  BOOST_TEST(largest_difference(bloom(at::kBFloat16)) < 0.1);
  BOOST_TEST(largest_difference(bloom(at::kHalf)) < 0.02);
  BOOST_TEST(largest_difference(parallel(at::kBFloat16)) < 0.1);
}

BOOST_AUTO_TEST_CASE(codes_are_multiplied_as_they_are) {
  for (Tiny tiny : {llama(at::kFloat), bloom(at::kFloat), parallel(at::kFloat)}) {
    quantize(tiny);
    BOOST_TEST(largest_difference(tiny) < 2e-5);
  }
}

BOOST_AUTO_TEST_CASE(codes_that_share_an_input_are_one_product) {
  Tiny tiny = llama(at::kFloat);
  BOOST_TEST(launches_of(tiny, "product") == 15u);
  quantize(tiny);
  BOOST_TEST(launches_of(tiny, "product4") == 9u);  // qkv, o, gate and up, down; and the head
}

BOOST_AUTO_TEST_CASE(codes_stay_where_they_are_when_there_is_no_room) {
  Tiny tiny = llama(at::kFloat);
  quantize(tiny);
  Weights weights = tiny.weights;
  step::place_side_by_side(tiny.program["ops"], weights, 100);
  BOOST_TEST(weights["0.q"].packed == tiny.weights["0.q"].packed);
  step::place_side_by_side(tiny.program["ops"], weights, 1 << 20);
  BOOST_TEST(weights["0.q"].packed != tiny.weights["0.q"].packed);
  BOOST_TEST(weights["0.q"]
                 .packed->decode(at::kFloat)
                 .equal(tiny.weights["0.q"].packed->decode(at::kFloat)));
}

BOOST_AUTO_TEST_CASE(sums_are_taken_in_by_the_norms_behind_them) {
  BOOST_TEST(launches_of(llama(at::kFloat), "add") == 0u);
  BOOST_TEST(launches_of(llama(at::kFloat), "norm") == 5u);
  BOOST_TEST(launches_of(llama(at::kFloat), "activation") == 2u);
  BOOST_TEST(launches_of(llama(at::kFloat), "attention") == 2u);
}

BOOST_AUTO_TEST_CASE(a_batch_of_more_than_eight_is_multiplied_in_parts) {
  const Model model = with_steps(llama(at::kFloat));
  const std::vector<std::vector<int64_t>> prompts(11, {3, 1});
  const TokenBatch batch = make_batch(prompts, 50);
  KvCache cache = model.make_cache(4);
  const at::Tensor logits = model.run(batch, cache).logits;
  KvCache stepped = model.make_cache(4);
  TokenBatch first = make_batch(std::vector<std::vector<int64_t>>(11, {3}), 50);
  model.run(first, stepped);
  const auto decoding = Decoding::begin(model, stepped, first.keys, 1);
  decoding->give(at::ones({11, 1}, at::kLong));
  decoding->run(1);
  decoding->wait();
  const at::Tensor found = decoding->kept(0, 1).logits.squeeze(0).unsqueeze(1);
  BOOST_TEST(tiny::largest_difference(found, logits.narrow(1, 1, 1)) < 2e-5);
}

BOOST_AUTO_TEST_CASE(generation_by_steps_gives_the_same_tokens) {
  for (const Tiny& tiny : {llama(at::kFloat), bloom(at::kFloat), parallel(at::kFloat)}) {
    const Model plain(tiny.program, tiny.weights);
    const Model stepped = with_steps(tiny);
    for (const int64_t count : {1, 2, 7, 40}) {
      BOOST_TEST((generated(stepped, count) == generated(plain, count)), count << " tokens");
    }
  }
}

BOOST_AUTO_TEST_CASE(rules_of_generation_are_obeyed_step_by_step) {
  const Tiny tiny = llama(at::kFloat);
  GenerateOptions options;
  options.max_new_tokens = 12;
  options.no_repeat_ngram_size = 1;
  const auto found = generate_batch(with_steps(tiny), kPrompts, options);
  const auto wanted = generate_batch(Model(tiny.program, tiny.weights), kPrompts, options);
  for (size_t i = 0; i < found.size(); ++i) {
    BOOST_TEST(found[i].ids == wanted[i].ids);
    const std::set<int64_t> once(found[i].ids.end() - 12, found[i].ids.end());
    BOOST_TEST(once.size() == 12u);
  }
}

BOOST_AUTO_TEST_CASE(a_program_without_kernels_runs_instruction_by_instruction) {
  Tiny tiny = llama(at::kFloat);
  tiny.emit({{"op", "clamp"}, {"x", "logits"}, {"low", -1}, {"high", 1}, {"out", "logits"}});
  const Model model = with_steps(tiny);
  const TokenBatch batch = make_batch(kPrompts, 50);
  KvCache cache = model.make_cache(12);
  model.run(batch, cache);
  BOOST_TEST(Decoding::begin(model, cache, batch.keys, 1) == nullptr);
  BOOST_TEST((generated(model, 5) == generated(Model(tiny.program, tiny.weights), 5)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
