#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/json.h"
#include "engine/model/frame.h"
#include "engine/model/kv_cache.h"
#include "engine/model/options.h"
#include "engine/model/token_batch.h"
#include "engine/model/weights.h"

namespace qspec {

struct RunResult {
  at::Tensor logits;                       // [B, T or 1, V], in the dtype and on the device of the
                                           // model, as all of it
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
// attributes. Immutable after construction; runs on several threads need a cache each.
class Model {
 public:
  // Throws Error(kSpec) for a program that makes no sense, naming the instruction, and
  // Error(kCheckpoint) for a weight that is missing or of another shape.
  Model(const Json& program, const Weights& weights, const BuildOptions& options = {});

  // Runs the tokens of `batch` behind those in `cache`, which then holds them too. Throws
  // Error(kSpec) for a tap that the program does not have.
  RunResult run(const TokenBatch& batch, KvCache& cache, const RunOptions& options = {}) const;

  c10::Device device() const { return device_; }
  KvCache make_cache(int64_t capacity) const { return KvCache(layers_, capacity); }
  int64_t vocab_size() const { return vocab_size_; }
  const std::vector<std::string>& taps() const { return taps_; }

 private:
  struct Instruction {
    Operation run;
    std::vector<Slot> last_read;  // slots that nothing reads afterwards
  };

  void check_taps(const std::set<std::string, std::less<>>& wanted) const;

  std::vector<Instruction> instructions_;
  std::vector<std::string> taps_;
  size_t slots_ = 0;
  Slot ids_ = 0, positions_ = 0, keys_ = 0, logits_ = 0;
  int64_t vocab_size_ = 0;
  int64_t layers_ = 0;
  c10::Device device_;
};

}  // namespace qspec
