#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "engine/model/instruction.h"

namespace qspec {

// What programs that share instructions had computed at their taps, so that another one that begins
// alike does not compute it again. Holds up to `budget` bytes of hidden states; what came first
// stays. Not for several threads at once.
class PrefixCache {
 public:
  explicit PrefixCache(int64_t budget) : budget_(budget) {}

  // The values of the slots behind the longest known prefix of `instructions` that was given the
  // same values, written to `slots`. Returns how many instructions it spares.
  size_t resume(const std::vector<at::Tensor>& given, const Instructions& instructions,
                std::vector<at::Tensor>& slots) const;

  // Keeps the values behind the instructions of `prefix`.
  void keep(const std::vector<at::Tensor>& given,
            std::span<const std::shared_ptr<const Instruction>> prefix,
            const std::vector<at::Tensor>& slots);

 private:
  struct Prompt {
    std::vector<at::Tensor> given;
    std::map<Instructions, std::vector<at::Tensor>> states;  // slots, by the instructions before
  };

  size_t find(const std::vector<at::Tensor>& given) const;  // prompts_.size() when there is none
  int64_t new_bytes(const std::vector<at::Tensor>& slots) const;

  int64_t budget_;
  std::vector<Prompt> prompts_;
  std::set<const void*> held_;  // the storages that are counted
};

}  // namespace qspec
