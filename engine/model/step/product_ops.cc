// Linears: dense, or of 4-bit codes. Those that read the same rows and whose codes lie one behind
// the other (neighbours.h) become one product.

#include <ATen/ops/cat.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/model/step/planner.h"
#include "engine/tensor/codebook4.h"

namespace qspec::step {
namespace {

struct Member {
  std::string out;
  KernelOperand operand;
};

KernelOperand operand_of(Planner& planner, const std::string& name) {
  const auto found = planner.source().linears.find(name);
  if (found == planner.source().linears.end()) unsupported("a linear that is none");
  auto operand = found->second->operand(planner.plan().dtype);
  if (!operand) unsupported("the product of '" + name + "'");
  return *std::move(operand);
}

bool are_neighbours(const KernelOperand& first, const KernelOperand& second) {
  const Codebook4 *a = first.codes, *b = second.codes;
  if (a == nullptr || b == nullptr || a->shape.back() != b->shape.back()) return false;
  if (a->shape.front() * a->shape.back() % a->block_size != 0) return false;
  return a->packed.const_data_ptr<uint8_t>() + a->packed.numel() ==
             b->packed.const_data_ptr<uint8_t>() &&
         a->absmax.const_data_ptr<float>() + a->absmax.numel() ==
             b->absmax.const_data_ptr<float>() &&
         a->block_size == b->block_size && a->codebook.equal(b->codebook) &&
         first.bias.defined() == second.bias.defined() && first.bias_apart == second.bias_apart;
}

// The instruction and those behind it that can be one product with it.
std::vector<Member> group_of(Planner& planner, Attributes& attributes) {
  const std::string x = attributes.text("x");
  std::vector<Member> group = {
      {attributes.text("out"), operand_of(planner, attributes.text("weight"))}};
  for (const Json& op : planner.following()) {
    const bool reads_same =
        op.value("op", "") == "linear" && op.value("x", "") == x &&
        std::none_of(group.begin(), group.end(), [&](const Member& one) { return one.out == x; });
    if (!reads_same) break;
    KernelOperand operand = operand_of(planner, op.value("weight", ""));
    if (!are_neighbours(group.back().operand, operand)) break;
    group.push_back({op.value("out", ""), std::move(operand)});
  }
  return group;
}

int64_t rows_of(const KernelOperand& operand) {
  return operand.codes != nullptr ? operand.codes->shape.front() : operand.dense.size(0);
}

const void* bias_of(Planner& planner, const std::vector<Member>& group) {
  if (!group.front().operand.bias.defined()) return nullptr;
  std::vector<at::Tensor> biases;
  for (const Member& member : group) biases.push_back(member.operand.bias);
  return planner.pointer(biases.size() == 1 ? biases.front() : at::cat(biases));
}

// Rows of x that a launch takes. Gemv4 takes more, but gave numbers that are none at 32 rows of
// bfloat16 on an H200.
constexpr int64_t kMostRows = 8;

template <class Job>
void launch_in_parts(Planner& planner, std::string_view name,
                     void (*start)(const Job&, cuda::Stream), Job job, const Rows& x,
                     const Rows& y) {
  const auto bytes = static_cast<int64_t>(cuda::bytes_of(planner.element()));
  for (int64_t from = 0; from < planner.batch(); from += kMostRows) {
    job.x = static_cast<const char*>(x.data) + from * x.stride * bytes;
    job.y = static_cast<char*>(y.data) + from * y.stride * bytes;
    job.batch = std::min(planner.batch() - from, kMostRows);
    planner.launch(name, start, job);
  }
}

void launch_codes(Planner& planner, const std::vector<Member>& group, const Rows& x,
                  const Rows& y) {
  const Codebook4& codes = *group.front().operand.codes;
  const cuda::StepTable& kernels = planner.source().kernels;
  if (x.width % 2 != 0) unsupported("rows of half bytes");
  const auto workspace =
      planner.take(static_cast<int64_t>(kernels.product4_workspace_bytes(x.width)));
  cuda::Gemv4 job{.packed = codes.packed.const_data_ptr<uint8_t>(),
                  .scales = codes.absmax.const_data_ptr<float>(),
                  .codebook = {},
                  .rows = y.width,
                  .columns = x.width,
                  .group = codes.block_size,
                  .x = nullptr,
                  .element = planner.element(),
                  .batch = 0,
                  .bias = bias_of(planner, group),
                  .bias_apart = group.front().operand.bias_apart,
                  .y = nullptr,
                  .workspace = workspace.get()};
  std::copy_n(codes.codebook.const_data_ptr<float>(), 16, job.codebook.value);
  launch_in_parts(planner, "product4", kernels.product4, job, x, y);
}

void launch_dense(Planner& planner, const std::vector<Member>& group, const Rows& x,
                  const Rows& y) {
  const KernelOperand& operand = group.front().operand;
  const cuda::DenseProduct job{.weight = planner.pointer(operand.dense),
                               .bias = bias_of(planner, group),
                               .bias_apart = operand.bias_apart,
                               .x = nullptr,
                               .y = nullptr,
                               .rows = y.width,
                               .columns = x.width,
                               .batch = 0,
                               .element = planner.element()};
  launch_in_parts(planner, "product", planner.source().kernels.product, job, x, y);
}

void linear(Planner& planner, Attributes& attributes) {
  const RowsPtr x = planner.contiguous_rows(attributes.text("x"));
  const std::vector<Member> group = group_of(planner, attributes);
  int64_t width = 0;
  for (const Member& member : group) width += rows_of(member.operand);
  const RowsPtr y = planner.new_rows(width);
  const bool has_codes = group.front().operand.codes != nullptr;
  (has_codes ? launch_codes : launch_dense)(planner, group, *x, *y);
  int64_t from = 0;
  for (const Member& member : group) {
    const auto part = std::make_shared<Rows>(*y);
    part->width = rows_of(member.operand);
    part->data = static_cast<char*>(y->data) +
                 from * static_cast<int64_t>(cuda::bytes_of(planner.element()));
    from += part->width;
    planner.set(member.out, part);
  }
  planner.skip(group.size() - 1);
  planner.hold_head_input(x);
}

// Rows are in one dtype here.
void as_weight(Planner& planner, Attributes& attributes) {
  planner.set(attributes.text("out"), planner.rows(attributes.text("x")));
}

constexpr StepOp kOps[] = {{"as_weight", as_weight}, {"linear", linear}};

}  // namespace

std::span<const StepOp> product_ops() {
  return kOps;
}

}  // namespace qspec::step
