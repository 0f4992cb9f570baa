#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/json.h"
#include "engine/model/kv_cache.h"
#include "engine/model/options.h"
#include "engine/model/program.h"
#include "engine/model/step/plan.h"
#include "engine/model/token_batch.h"
#include "engine/model/weights.h"

namespace qspec {

struct RunResult {
  // All of it on the device of the model.
  at::Tensor logits;                       // [B, T or 1, V], in the dtype of the model
  at::Tensor hidden;                       // [B, T or 1, width], what the output head was given
  std::map<std::string, at::Tensor> taps;  // [B, T, width] each
};

// A program of primitive ops with its weights bound. A program is plain data:
//
//   {"vocab_size": V, "layers": N, "logits": "logits", "ops": [
//     {"op": "embedding", "ids": "ids", "weight": "transformer.word_embeddings",
//      "shape": [V, d], "out": "x"}, ...]}
//
// Ops read and write registers by name. Given are "ids" [B, T], "positions" [B, T] and "keys"
// [B, L] (TokenBatch). engine/model/ops holds the ops, one concept a file, each with its
// attributes.
//
// An encoder-decoder has a second list of ops, which run once over a source:
//
//   "encoder": {"ops": [...], "kept": ["source_keys", "source_k.0", ...]}
//
// What it leaves in the registers of "kept" is given to the ops of the decoder at every step.
// Immutable after construction; runs on several threads need a cache each.
class Model {
 public:
  // Throws Error(kSpec) for a program that makes no sense, naming the instruction, and
  // Error(kCheckpoint) for a weight that is missing or of another shape.
  Model(const Json& program, const Weights& weights, const BuildOptions& options = {});

  // Runs the tokens of `batch` behind those in `cache`, which then holds them too. Throws
  // Error(kSpec) for a tap that the program does not have, and when an encoder-decoder has not
  // encoded a source for each sequence.
  RunResult run(const TokenBatch& batch, KvCache& cache, const RunOptions& options = {}) const;

  // The logits of `tokens` int64 [n] from what the head was given, before they were rounded: the
  // last linear of the program and what follows it in fp64. hidden [..., width] -> f64 [..., n], on
  // the CPU as `tokens`.
  at::Tensor exact_logits(const at::Tensor& hidden, const at::Tensor& tokens) const;

  // Runs the encoder over the sources, and leaves in `cache` what the decoder takes from them.
  // Returns hidden states of the encoder. Throws Error(kSpec) for a model that has none.
  std::map<std::string, at::Tensor> encode(const TokenBatch& sources, KvCache& cache,
                                           const RunOptions& options = {}) const;

  // This model with the modules of `names` as `other` has them. Both were built from one program;
  // no weight is copied. What an instruction binds besides comes with it: see module_groups().
  // Throws Error(kSpec) for a name that no instruction has, and for models of two programs.
  Model with(const Model& other, const std::set<std::string>& names) const;

  // Lets this model, and those made of it by with(), keep hidden states up to `bytes`, and begin a
  // run that nothing continues behind the instructions that an earlier one shares with it. Such
  // models are for one thread.
  Model remembering(int64_t bytes) const;

  // Modules by the instruction that binds them, in the order in which they are first used. Those of
  // a group can be exchanged only together.
  std::vector<std::vector<std::string>> module_groups() const;

  bool has_encoder() const { return encoder_.has_value(); }
  const Program& decoder() const { return *decoder_; }
  const std::optional<Program>& encoder() const { return encoder_; }
  c10::Device device() const { return device_; }
  // What Decoding plans a step with; null where the device has no kernels for it.
  const cuda::StepTable* step_kernels() const { return step_kernels_; }
  step::Source step_source() const;
  KvCache make_cache(int64_t capacity) const { return KvCache(layers_, capacity); }
  int64_t vocab_size() const { return vocab_size_; }
  std::vector<std::string> taps() const;  // those of the encoder first

 private:
  void check_taps(const std::set<std::string, std::less<>>& wanted) const;
  void check_modules(const std::set<std::string>& names) const;

  int64_t vocab_size_ = 0;
  int64_t layers_ = 0;
  c10::Device device_;
  std::optional<Program> encoder_, decoder_;
  std::shared_ptr<PrefixCache> prefixes_;
  const cuda::StepTable* step_kernels_;
  Json ops_;            // of the decoder
  std::string logits_;  // the register that they leave them in
  Weights weights_;     // on the device
  Linears linears_;
};

}  // namespace qspec
