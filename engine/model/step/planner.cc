#include "engine/model/step/planner.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

namespace qspec::step {

cuda::Element element_of(at::ScalarType dtype) {
  if (dtype == at::kFloat) return cuda::Element::kFloat32;
  if (dtype == at::kHalf) return cuda::Element::kFloat16;
  if (dtype == at::kBFloat16) return cuda::Element::kBfloat16;
  unsupported(std::string("arithmetic in ") + at::toString(dtype));
}

std::shared_ptr<void> RowPool::take(int64_t bytes) {
  void* data = nullptr;
  if (const auto found = free_->find(bytes); found != free_->end()) {
    data = found->second;
    free_->erase(found);
  } else {
    held_.push_back(at::empty({bytes}, at::TensorOptions(at::kByte).device(device_)));
    data = held_.back().mutable_data_ptr();
  }
  return {data, [free = free_, bytes](void* back) { free->emplace(bytes, back); }};
}

Planner::Planner(const Source& source, const KvCache& cache, const at::Tensor& starts)
    : source_(source), cache_(cache), pool_(plan_.memory, source.device) {
  const auto options = at::TensorOptions(source.device);
  plan_.starts = starts.to(source.device);
  plan_.ids = at::zeros({batch()}, options.dtype(at::kLong));
  plan_.lengths = at::full({batch()}, cache.length(), options.dtype(at::kInt));
  find_dtype();
}

// That of the rows that ids are looked up in.
void Planner::find_dtype() {
  for (const Json& op : source_.ops) {
    if (op.value("op", "") != "embedding") continue;
    const auto found = source_.weights.find(op.value("weight", ""));
    if (found == source_.weights.end() || !found->second.weight.defined()) break;
    plan_.dtype = found->second.weight.scalar_type();
    return;
  }
  unsupported("a program without an embedding");
}

std::span<const Json> Planner::following() const {
  const auto& ops = source_.ops.get_ref<const Json::array_t&>();
  return std::span(ops).subspan(next_);
}

Plan Planner::run() {
  Preparation preparation{{}, source_.weights, {}, source_.layers, {}};
  const auto& ops = source_.ops.get_ref<const Json::array_t&>();
  while (next_ < ops.size()) {
    const size_t index = next_++;
    Attributes attributes(ops[index], index, preparation);
    read(attributes);
  }
  const RowsPtr logits = contiguous_rows(source_.logits);
  plan_.logits = logits->data;
  plan_.vocabulary = logits->width;
  if (head_input_ == nullptr) unsupported("a program without a head");
  plan_.hidden = head_input_->data;
  plan_.width = head_input_->width;
  return std::move(plan_);
}

void Planner::read(Attributes& attributes) {
  for (const auto& table : {row_ops(), product_ops(), head_ops(), attention_ops()}) {
    for (const StepOp& op : table) {
      if (op.name == attributes.op()) return op.read(*this, attributes);
    }
  }
  unsupported("'" + std::string(attributes.op()) + "'");
}

RowsPtr Planner::new_rows(int64_t width) {
  auto rows = std::make_shared<Rows>();
  rows->memory = take(batch() * width * static_cast<int64_t>(cuda::bytes_of(element())));
  rows->data = rows->memory.get();
  rows->width = rows->stride = width;
  return rows;
}

RowsPtr Planner::rows(const std::string& name) {
  return computed(value<RowsPtr>(name));
}

RowsPtr Planner::contiguous_rows(const std::string& name) {
  RowsPtr found = rows(name);
  if (found->stride != found->width && batch() > 1) unsupported("a product of a part of rows");
  return found;
}

// A sum that no norm took in, or an activation that no product did.
RowsPtr Planner::computed(RowsPtr rows) {
  if (rows->data != nullptr) return rows;
  const RowsPtr made = new_rows(rows->width);
  if (rows->activation) {
    const RowsPtr x = computed(rows->activation->x);
    launch("activation", source_.kernels.activation,
           cuda::StepActivation{.x = x->data,
                                .x_row = x->stride,
                                .batch = batch(),
                                .width = rows->width,
                                .kind = rows->activation->kind,
                                .out = made->data,
                                .element = element()});
  }
  for (size_t i = 1; i < rows->terms.size(); ++i) {
    const RowsPtr first = i == 1 ? computed(rows->terms[0]) : made;
    const RowsPtr second = computed(rows->terms[i]);
    launch("add", source_.kernels.arithmetic,
           cuda::StepArithmetic{.kind = cuda::ArithmeticKind::kAdd,
                                .x = first->data,
                                .y = second->data,
                                .x_row = first->stride,
                                .y_row = second->stride,
                                .batch = batch(),
                                .width = rows->width,
                                .out = made->data,
                                .element = element()});
  }
  *rows = *made;
  return rows;
}

void Planner::hold_head_input(const RowsPtr& rows) {
  head_input_ = rows;
}

const void* Planner::pointer(const at::Tensor& weight) {
  if (!weight.defined()) return nullptr;
  if (weight.scalar_type() != plan_.dtype) unsupported("weights of several dtypes");
  return keep(weight.contiguous()).const_data_ptr();
}

const at::Tensor& Planner::keep(const at::Tensor& tensor) {
  return plan_.memory.emplace_back(tensor.to(source_.device));
}

Plan plan_step(const Source& source, const KvCache& cache, const at::Tensor& starts) {
  return Planner(source, cache, starts).run();
}

}  // namespace qspec::step
