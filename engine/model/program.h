#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/model/attributes.h"
#include "engine/model/frame.h"
#include "engine/model/instruction.h"
#include "engine/model/kv_cache.h"
#include "engine/model/options.h"
#include "engine/model/prefix_cache.h"

namespace qspec {

// A list of instructions with their weights bound. Immutable after construction.
class Program {
 public:
  // `given` names the registers that have a value before the first instruction, and `kept` those
  // that are wanted after the last. Throws Error(kSpec) for a list that makes no sense, naming the
  // instruction, and Error(kCheckpoint) for a weight that is missing or of another shape.
  Program(const Json& instructions, const std::vector<std::string>& given,
          const std::vector<std::string>& kept, Preparation& preparation);

  struct Result {
    std::vector<at::Tensor> kept;  // what the registers of `kept` hold in the end
    at::Tensor hidden;             // what the last linear was given; undefined when there is none
    std::map<std::string, at::Tensor> taps;  // the hidden states that were asked for
  };

  // With `prefixes` it begins behind the longest prefix that they hold for these values, and leaves
  // them its own; the cache then lacks what was not run again.
  Result run(const std::vector<at::Tensor>& given, KvCache& cache, const RunOptions& options,
             PrefixCache* prefixes = nullptr) const;

  // This program with the instructions of `other`, made from the same list, that bind one of
  // `modules`; an instruction is taken whole. Throws Error(kSpec) for two that are not alike.
  Program with(const Program& other, const std::set<std::string>& modules) const;

  const Instructions& instructions() const { return instructions_; }
  const std::vector<Slot>& given() const { return given_; }
  size_t slots() const { return slots_; }

  // The first of `kept` from what the last linear was given: `rows` int64 [n] of that linear alone,
  // and what follows it, in fp64 and not rounded. hidden [..., I] -> [..., n].
  at::Tensor exact(const at::Tensor& hidden, const at::Tensor& rows) const;

  const std::vector<std::string>& taps() const { return taps_; }

 private:
  struct LastLinear {
    size_t index = 0;
    Slot input = 0;
  };

  Instructions instructions_;
  std::optional<LastLinear> last_linear_;
  std::vector<std::string> taps_;
  std::vector<Slot> given_, kept_;
  size_t slots_ = 0;
};

}  // namespace qspec
