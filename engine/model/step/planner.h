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

#include "engine/core/error.h"
#include "engine/kernels/step/table.h"
#include "engine/model/attributes.h"
#include "engine/model/step/plan.h"
#include "engine/model/step/values.h"

namespace qspec::step {

[[noreturn]] inline void unsupported(const std::string& what) {
  throw Error(ErrorKind::kUnsupported, "no kernel of a decoding step does " + what);
}

// Memory for the rows of a step. What was given back is given out again: launches run in order.
class RowPool {
 public:
  RowPool(std::vector<at::Tensor>& held, c10::Device device) : held_(held), device_(device) {}

  std::shared_ptr<void> take(int64_t bytes);

 private:
  using Free = std::multimap<int64_t, void*>;

  std::vector<at::Tensor>& held_;
  c10::Device device_;
  std::shared_ptr<Free> free_ = std::make_shared<Free>();
};

// Reads the instructions of a program in order and says which launches they come to. Registers hold
// what is known of a value; sums, activations and scores wait for the instruction that uses them,
// and become one launch with it.
class Planner {
 public:
  Planner(const Source& source, const KvCache& cache, const at::Tensor& starts);

  Plan run();

  const Source& source() const { return source_; }
  const KvCache& cache() const { return cache_; }
  Plan& plan() { return plan_; }
  int64_t batch() const { return plan_.starts.size(0); }
  at::ScalarType dtype() const { return plan_.dtype; }
  cuda::Element element() const { return element_of(plan_.dtype); }
  // The instructions behind the one that is being read.
  std::span<const Json> following() const;
  // Passes over as many of them.
  void skip(size_t count) { next_ += count; }

  template <class T>
  const T& value(const std::string& name) {
    const auto found = registers_.find(name);
    const T* held = found == registers_.end() ? nullptr : std::get_if<T>(&found->second);
    if (held == nullptr) unsupported("this with '" + name + "'");
    return *held;
  }
  template <class T>
  bool holds(const std::string& name) const {
    const auto found = registers_.find(name);
    return found != registers_.end() && std::holds_alternative<T>(found->second);
  }
  void set(const std::string& name, Value value) { registers_[name] = std::move(value); }

  // Computed rows; `contiguous` ones lie one behind the other.
  RowsPtr rows(const std::string& name);
  RowsPtr computed(RowsPtr rows);
  RowsPtr contiguous_rows(const std::string& name);
  RowsPtr new_rows(int64_t width);
  std::shared_ptr<void> take(int64_t bytes) { return pool_.take(bytes); }
  // A weight of the dtype of the model as launches read it; null for none.
  const void* pointer(const at::Tensor& weight);
  // The last one held is what the head was given.
  void hold_head_input(const RowsPtr& rows);
  // Keeps a tensor on the device for as long as the plan.
  const at::Tensor& keep(const at::Tensor& tensor);

  template <class Job>
  void launch(std::string_view kernel, void (*start)(const Job&, cuda::Stream), const Job& job) {
    plan_.launches.push_back({kernel, [start, job](cuda::Stream stream) { start(job, stream); }});
  }

 private:
  void read(Attributes& attributes);
  void find_dtype();

  const Source& source_;
  const KvCache& cache_;
  Plan plan_;
  RowPool pool_;
  std::map<std::string, Value, std::less<>> registers_;
  RowsPtr head_input_;
  size_t next_ = 0;
};

// How an instruction is read, by its op.
struct StepOp {
  std::string_view name;
  void (*read)(Planner&, Attributes&);
};

std::span<const StepOp> row_ops();
std::span<const StepOp> product_ops();
std::span<const StepOp> head_ops();
std::span<const StepOp> attention_ops();

}  // namespace qspec::step
