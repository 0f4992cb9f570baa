#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "engine/core/json.h"

namespace qspec {

namespace cuda {
struct StepTable;
}

struct BuildOptions {
  int64_t dense_budget = int64_t{256} << 20;  // bytes of packed weights that may be kept decoded
  std::string device = "cpu";                 // or "cuda:0", as LibTorch writes it
  const cuda::StepTable* step_kernels = nullptr;  // null: those of the device, if it has any
};

struct RunOptions {
  std::set<std::string, std::less<>> taps = {};  // names of hidden states to return
  bool last_position_only = false;               // logits of the last token alone
  int64_t step = 0;  // tokens at a time, behind those in the cache; 0: all of them at once
  std::optional<uint64_t> random_rounding = std::nullopt;  // its seed; see random_rounding.h
};

// From {"dense_budget": bytes, "device": name} and {"taps": [names], "last": true, "step": tokens,
// "random_rounding": seed}; fields left out keep their defaults. Throw Error(kSpec) for an unknown
// field and a value of the wrong type.
BuildOptions parse_build_options(const Json& fields);
RunOptions parse_run_options(const Json& fields);

}  // namespace qspec
