#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/model/model.h"

namespace qspec {

// How far an instruction's output lies from the baseline's, as SQNR in dB: 10 log10 of the sum of
// squares of the baseline's output over that of the differences, both in fp64. Infinite where they
// are equal, NaN where a value is not finite.
struct ModuleError {
  std::vector<std::string> modules;  // that the instruction binds
  double added_db;      // the model's modules, given the baseline's input: their own error
  double inherited_db;  // the baseline's modules, given the model's input: that of all before them
  double total_db;      // the model's modules, given the model's input
};

// Of each instruction with weights, in order; both models were built from one program. An
// encoder-decoder takes a source for each sequence of `batch`. Throws Error(kSpec) for two models
// that are not alike.
std::vector<ModuleError> module_errors(const Model& model, const Model& baseline,
                                       const TokenBatch& batch,
                                       const std::optional<TokenBatch>& sources = {});

}  // namespace qspec
