#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

using tiny::largest_difference;
using tiny::run_ops;

constexpr int64_t kHeads = 4, kKvHeads = 2, kWidth = 3;
constexpr double kScale = 0.7;

std::vector<Json> attention(int64_t window, bool always) {
  return {{{"op", "split_heads"},
           {"x", "x"},
           {"layout", "concat"},
           {"heads", kHeads},
           {"kv_heads", kKvHeads},
           {"width", kWidth},
           {"out", {"q", "k", "v"}}},
          {{"op", "attention_mask"},
           {"keys", "keys"},
           {"like", "x"},
           {"window", window},
           {"always", always},
           {"out", "mask"}},
          {{"op", "sdpa"},
           {"q", "q"},
           {"k", "k"},
           {"v", "v"},
           {"mask", "mask"},
           {"scale", kScale},
           {"out", "out"}}};
}

at::Tensor projections(int64_t tokens) {
  at::manual_seed(11);
  return at::randn({tokens, (kHeads + 2 * kKvHeads) * kWidth});
}

// By the formula, in double precision: [H, T, D].
at::Tensor by_hand(const at::Tensor& x, int64_t window) {
  const int64_t tokens = x.size(0);
  const auto parts =
      x.to(at::kDouble)
          .split_with_sizes({kHeads * kWidth, kKvHeads * kWidth, kKvHeads * kWidth}, 1);
  const auto heads = [&](const at::Tensor& part) {
    const at::Tensor split = part.view({tokens, -1, kWidth}).transpose(0, 1);
    return split.repeat_interleave(kHeads / split.size(0), 0);
  };
  const at::Tensor key = at::arange(tokens), query = key.unsqueeze(1);
  at::Tensor hidden = key.gt(query);
  if (window > 0) hidden = hidden.logical_or(key.le(query - window));
  const at::Tensor scores = at::matmul(heads(parts[0]), heads(parts[1]).transpose(1, 2)) * kScale;
  const double never = -std::numeric_limits<double>::infinity();
  return at::matmul(at::softmax(scores.masked_fill(hidden, never), -1), heads(parts[2]));
}

BOOST_AUTO_TEST_SUITE(sdpa_tests)

BOOST_AUTO_TEST_CASE(without_a_mask_later_keys_are_hidden_and_heads_shared) {
  const at::Tensor x = projections(7);
  const at::Tensor found = run_ops(x, attention(0, false))[0];
  BOOST_TEST(largest_difference(found.to(at::kDouble), by_hand(x, 0)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(a_mask_that_is_always_made_says_the_same) {
  const at::Tensor x = projections(7);
  const at::Tensor found = run_ops(x, attention(0, true))[0];
  BOOST_TEST(largest_difference(found.to(at::kDouble), by_hand(x, 0)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(a_window_hides_keys_that_lie_back_further) {
  const at::Tensor x = projections(7);
  const at::Tensor found = run_ops(x, attention(3, false))[0];
  BOOST_TEST(largest_difference(found.to(at::kDouble), by_hand(x, 3)) < 1e-5);
  BOOST_TEST(largest_difference(by_hand(x, 3), by_hand(x, 0)) > 1e-2);
}

BOOST_AUTO_TEST_CASE(a_window_as_long_as_the_prompt_hides_nothing) {
  const at::Tensor x = projections(7);
  const at::Tensor found = run_ops(x, attention(7, false))[0];
  BOOST_TEST(largest_difference(found.to(at::kDouble), by_hand(x, 0)) < 1e-5);
}

// Attention over a cache that has the window too, in runs of so many tokens: [H, T, D].
at::Tensor in_runs(const at::Tensor& x, int64_t window, const std::vector<int64_t>& runs) {
  Json program = {{"vocab_size", x.size(0)}, {"layers", 1}, {"logits", "out"}};
  program["ops"] = {{{"op", "embedding"},
                     {"ids", "ids"},
                     {"weight", "x"},
                     {"shape", x.sizes().vec()},
                     {"out", "x"}}};
  for (const Json& op : attention(window, false)) program["ops"].push_back(op);
  program["ops"][2]["cached"] = window;
  const Json cache = {{"op", "cache"}, {"layer", 0},       {"k", "k"},
                      {"v", "v"},      {"window", window}, {"out", {"k", "v"}}};
  program["ops"].insert(program["ops"].begin() + 2, cache);
  std::swap(program["ops"][2], program["ops"][3]);
  Weights weights;
  weights["x"].weight = x;
  const Model model(program, weights);
  KvCache held = model.make_cache(x.size(0));
  std::vector<at::Tensor> found;
  for (const int64_t tokens : runs) {
    const int64_t seen = held.length();
    const TokenBatch batch{at::arange(seen, seen + tokens).unsqueeze(0),
                           at::ones({1, seen + tokens}, at::kLong)};
    found.push_back(model.run(batch, held).logits[0]);
  }
  return at::cat(found, 1);
}

BOOST_AUTO_TEST_CASE(a_cache_without_the_keys_before_the_window_gives_the_same) {
  const at::Tensor x = projections(9);
  const auto difference = [&](int64_t window, const std::vector<int64_t>& runs) {
    return largest_difference(in_runs(x, window, runs).to(at::kDouble), by_hand(x, window));
  };
  BOOST_TEST(difference(3, {9}) < 1e-5);
  BOOST_TEST(difference(3, {5, 1, 1, 1, 1}) < 1e-5);
  BOOST_TEST(difference(3, {1, 4, 3, 1}) < 1e-5);
  BOOST_TEST(difference(1, {2, 1, 3, 3}) < 1e-5);
  BOOST_TEST(difference(8, {7, 1, 1}) < 1e-5);
}

BOOST_AUTO_TEST_CASE(padding_changes_nothing_and_is_never_a_number_that_is_none) {
  const at::Tensor x = projections(7);
  Json program = {{"vocab_size", 7}, {"layers", 1}, {"logits", "out"}};
  program["ops"] = {{{"op", "embedding"},
                     {"ids", "ids"},
                     {"weight", "x"},
                     {"shape", x.sizes().vec()},
                     {"out", "x"}}};
  for (const Json& op : attention(0, false)) program["ops"].push_back(op);
  Weights weights;
  weights["x"].weight = x;
  const Model model(program, weights);
  const at::Tensor padded = tiny::logits(model, {{0, 1, 2, 3, 4}, {5, 6}});
  const at::Tensor alone = tiny::logits(model, {{5, 6}});
  BOOST_TEST(padded.isfinite().all().item<bool>());
  BOOST_TEST(largest_difference(padded[1].narrow(1, 3, 2), alone[0]) < 1e-5);
}

at::Tensor chunked(const std::vector<std::vector<int64_t>>& sequences) {
  Weights weights;
  weights["e"].weight = at::zeros({9, 3});
  const Json program = {
      {"vocab_size", 9},
      {"layers", 1},
      {"logits", "mask"},
      {"ops",
       {{{"op", "embedding"}, {"ids", "ids"}, {"weight", "e"}, {"shape", {9, 3}}, {"out", "x"}},
        {{"op", "attention_mask"},
         {"keys", "keys"},
         {"like", "x"},
         {"window", 0},
         {"chunk", 2},
         {"out", "mask"}}}}};
  return tiny::logits(Model(program, weights), sequences);
}

BOOST_AUTO_TEST_CASE(a_chunk_hides_what_lies_before_it) {
  const at::Tensor wanted = at::tensor({1, 0, 0, 1, 1, 0, 0, 0, 1}).view({3, 3}).to(at::kBool);
  BOOST_TEST(at::equal(chunked({{4, 5, 6}})[0][0], wanted));
}

BOOST_AUTO_TEST_CASE(chunks_are_counted_from_the_first_token_and_not_from_padding) {
  const at::Tensor found = chunked({{1, 2, 3, 4}, {4, 5, 6}})[1][0];
  const at::Tensor wanted = at::tensor({1, 0, 0, 1, 1, 0, 0, 0, 1}).view({3, 3}).to(at::kBool);
  BOOST_TEST(at::equal(found.narrow(0, 1, 3).narrow(1, 1, 3), wanted));
}

BOOST_AUTO_TEST_CASE(a_text_within_one_chunk_needs_no_mask) {
  BOOST_TEST(!chunked({{1}}).defined());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
