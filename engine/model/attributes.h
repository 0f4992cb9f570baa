#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/json.h"
#include "engine/model/frame.h"
#include "engine/model/linear.h"
#include "engine/model/weights.h"

namespace qspec {

// The names of a program's registers, each write of a name being a slot of its own.
class Registers {
 public:
  Slot define(std::string_view name);
  const Slot* find(std::string_view name) const;
  std::vector<std::string> names() const;
  size_t slots() const { return slots_; }

 private:
  std::map<std::string, Slot, std::less<>> current_;
  Slot slots_ = 0;
};

// What instructions are prepared against.
struct Preparation {
  Registers registers;
  const Weights& weights;
  DenseBudget budget;
  int64_t layers = 0;
  Linears linears;  // those that were bound
};

// The attributes of one instruction, read by type. Every mistake is an Error(kSpec) that names the
// instruction by its index and op; a weight that is missing or has another shape is an
// Error(kCheckpoint) that names the module.
class Attributes {
 public:
  Attributes(const Json& instruction, size_t index, Preparation& preparation);

  std::string_view op() const { return op_; }

  // Registers. `key` holds a name; outputs are defined after all inputs have been read.
  Slot input(std::string_view key);
  Slot output(std::string_view key = "out");
  std::vector<Slot> outputs(std::string_view key, size_t count);
  const std::vector<Slot>& read_slots() const { return read_; }
  const std::vector<Slot>& written_slots() const { return written_; }

  // The modules that were asked for, each once.
  const std::vector<std::string>& modules() const { return modules_; }

  // Whether the instruction has the attribute; asked for in either case.
  bool has(std::string_view key);

  double number(std::string_view key);
  int64_t integer(std::string_view key, int64_t least, int64_t most);
  int64_t window(std::string_view key);  // of so many tokens; 0, or not there: none
  std::string text(std::string_view key);
  bool flag(std::string_view key);  // false when it is not there
  const Json& value(std::string_view key);
  int64_t layer() { return integer("layer", 0, preparation_.layers - 1); }

  // The value of `table` under the name that `key` holds.
  template <class T>
  T choice(std::string_view key, std::span<const std::pair<std::string_view, T>> table) {
    const std::string name = text(key);
    std::vector<std::string> names;
    for (const auto& [candidate, value] : table) {
      if (candidate == name) return value;
      names.emplace_back(candidate);
    }
    unknown(key, name, names);
  }

  // The module that `key` names. Its weight has the sizes of the attribute "shape", and it has a
  // bias when the attribute "bias" is true, and none otherwise; of another key than "weight" these
  // are "KEY_shape" and "KEY_bias".
  const ModuleWeights& dense_module(std::string_view key);
  // Of a list of names: weights without bias, each of the sizes in "shape".
  std::vector<at::Tensor> dense_weights(std::string_view key);
  // A weight that is multiplied, dense or packed. `transposed`: a dense one is [I, O], which
  // "shape" says; a packed one is [O, I] all the same.
  const ModuleWeights& linear_module(std::string_view key, bool transposed = false);
  Linears& linears() { return preparation_.linears; }
  DenseBudget& dense_budget() { return preparation_.budget; }

  // Raises for an attribute that nobody asked for.
  void finish() const;

  [[noreturn]] void fail(const std::string& message) const;
  [[noreturn]] void fail_unknown_op(std::span<const std::string> known) const {
    unknown("op", op_, known);
  }

 private:
  const ModuleWeights& module(std::string_view key, bool transposed = false);
  const ModuleWeights& named(const std::string& name);
  void check_dense(const std::string& name, const ModuleWeights& module) const;
  std::vector<int64_t> shape(const std::string& key);
  void check_bias(const std::string& name, const at::Tensor& bias, int64_t size, bool wanted);
  [[noreturn]] void unknown(std::string_view what, const std::string& name,
                            std::span<const std::string> known) const;
  Slot define(const std::string& name);

  const Json& instruction_;
  size_t index_;
  Preparation& preparation_;
  std::string op_;
  std::vector<std::string> asked_ = {"op"};
  std::vector<Slot> read_, written_;
  std::vector<std::string> modules_;
};

}  // namespace qspec
