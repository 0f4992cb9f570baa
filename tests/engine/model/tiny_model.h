#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/model/model.h"

// Small programs and weights for the tests of this folder.
namespace qspec::tiny {

// The token t becomes the unit vector t, and the head asks for t + 1: greedy decoding counts up.
inline Json counting_program(int64_t vocab_size) {
  return {{"vocab_size", vocab_size},
          {"layers", 1},
          {"logits", "logits"},
          {"ops",
           {{{"op", "embedding"},
             {"ids", "ids"},
             {"weight", "embed"},
             {"shape", {vocab_size, vocab_size}},
             {"out", "x"}},
            {{"op", "last_position"}, {"x", "x"}, {"out", "x"}},
            {{"op", "linear"},
             {"x", "x"},
             {"weight", "head"},
             {"shape", {vocab_size, vocab_size}},
             {"out", "logits"}}}}};
}

inline Weights counting_weights(int64_t vocab_size) {
  Weights weights;
  weights["embed"].weight = at::eye(vocab_size);
  weights["head"].weight = at::eye(vocab_size).roll(1, 0).contiguous();
  return weights;
}

// A decoder of one layer with alibi, 3 heads of width 5 and a vocabulary of 11.
inline Json decoder_program() {
  return Json::parse(R"({
    "vocab_size": 11, "layers": 1, "logits": "logits", "ops": [
      {"op": "embedding", "ids": "ids", "weight": "embed", "shape": [11, 15], "out": "x"},
      {"op": "tap", "x": "x", "name": "embeddings"},
      {"op": "alibi", "keys": "keys", "like": "x", "out": "alibi",
       "slopes": [{"base": 0.0625, "first": 1, "step": 1, "count": 2},
                  {"base": 0.25, "first": 1, "step": 2, "count": 1}]},
      {"op": "causal_mask", "keys": "keys", "like": "x", "out": "mask"},
      {"op": "layer_norm", "x": "x", "weight": "norm", "shape": [15], "bias": true, "eps": 1e-5,
       "out": "h"},
      {"op": "linear", "x": "h", "weight": "qkv", "shape": [45, 15], "out": "h"},
      {"op": "split_heads", "x": "h", "layout": "per_head", "heads": 3, "kv_heads": 3, "width": 5,
       "out": ["q", "k", "v"]},
      {"op": "cache", "layer": 0, "k": "k", "v": "v", "out": ["k", "v"]},
      {"op": "biased_scores", "q": "q", "k": "k", "bias": "alibi", "scale": 0.4, "out": "s"},
      {"op": "add", "x": "s", "y": "mask", "out": "s"},
      {"op": "softmax", "x": "s", "out": "s"},
      {"op": "weighted_values", "weights": "s", "v": "v", "out": "h"},
      {"op": "merge_heads", "x": "h", "out": "h"},
      {"op": "add", "x": "x", "y": "h", "out": "x"},
      {"op": "tap", "x": "x", "name": "layer.0"},
      {"op": "last_position", "x": "x", "out": "x"},
      {"op": "linear", "x": "x", "weight": "embed", "shape": [11, 15], "out": "logits"}]})");
}

inline Weights decoder_weights() {
  at::manual_seed(7);
  Weights weights;
  weights["embed"].weight = at::randn({11, 15});
  weights["norm"].weight = at::rand({15}) + 0.5;
  weights["norm"].bias = at::randn({15});
  weights["qkv"].weight = at::randn({45, 15}) * 0.3;
  return weights;
}

inline at::Tensor logits(const Model& model, const std::vector<std::vector<int64_t>>& sequences) {
  const TokenBatch batch = make_batch(sequences, model.vocab_size());
  KvCache cache = model.make_cache(batch.ids.size(1));
  return model.run(batch, cache).logits;
}

// Runs `ops` on the register "x", which holds `x` [T, width] as a batch of one sequence, and
// returns what they leave in the register "out".
inline at::Tensor run_ops(const at::Tensor& x, const std::vector<Json>& ops, Weights weights = {}) {
  weights["x"].weight = x;
  Json program = {{"vocab_size", x.size(0)}, {"layers", 2}, {"logits", "out"}};
  program["ops"] = {{{"op", "embedding"},
                     {"ids", "ids"},
                     {"weight", "x"},
                     {"shape", x.sizes().vec()},
                     {"out", "x"}}};
  for (const Json& op : ops) program["ops"].push_back(op);
  std::vector<int64_t> ids(static_cast<size_t>(x.size(0)));
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i);
  return logits(Model(program, weights), {ids});
}

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace qspec::tiny
