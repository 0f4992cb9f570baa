#include <ATen/ATen.h>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "engine/model/ops/activation.h"
#include "engine/model/ops/tables.h"
#include "engine/model/random_rounding.h"
#include "engine/tensor/packed.h"

namespace qspec {
namespace {

// The weights of all experts for one projection.
class ExpertWeight {
 public:
  ExpertWeight(const ModuleWeights& module, bool transposed, DenseBudget& budget)
      : module_(module), transposed_(transposed) {
    if (!module_.packed) return;
    int64_t bytes = 2;
    for (const int64_t size : module_.packed->shape()) bytes *= size;
    keeps_ = bytes <= budget.bytes_left;
    if (keeps_) budget.bytes_left -= bytes;
  }

  // [E, I, O], as the products take it.
  at::Tensor of(at::ScalarType dtype, c10::Device device) const {
    if (module_.weight.defined()) {
      return transposed_ ? module_.weight : module_.weight.transpose(1, 2);
    }
    const auto decoded = [&] { return module_.packed->decode(dtype).to(device).transpose(1, 2); };
    if (!keeps_) return decoded();
    std::call_once(once_, [&] { kept_ = decoded(); });
    return kept_.scalar_type() == dtype ? kept_ : kept_.to(dtype);
  }

 private:
  ModuleWeights module_;
  bool transposed_;
  bool keeps_ = false;
  mutable std::once_flag once_;
  mutable at::Tensor kept_;
};

struct Projection {
  std::shared_ptr<const ExpertWeight> weight;
  at::Tensor bias;  // [E, O] or undefined
};

Projection read_projection(Attributes& attributes, const char* key, const char* bias_key) {
  const bool transposed = attributes.flag("transposed");
  const ModuleWeights& module = attributes.linear_module(key, transposed);
  if (module.int8) attributes.fail("experts in LLM.int8() cannot be run");
  at::Tensor bias;
  if (attributes.has(bias_key)) bias = attributes.dense_module(bias_key).weight;
  return {std::make_shared<const ExpertWeight>(module, transposed, attributes.dense_budget()),
          bias};
}

// Tokens sorted by expert: those of expert e end at ends[e].
struct Assignment {
  at::Tensor experts;         // [S], sorted
  at::Tensor order;           // [S], places before sorting
  std::vector<int64_t> ends;  // [E]
};

Assignment assign(const at::Tensor& experts, int64_t count) {
  auto [sorted, order] = at::sort(experts.reshape({-1}));
  const at::Tensor ends = at::bincount(sorted, {}, count).cumsum(0).to(at::kCPU);
  const auto* first = ends.const_data_ptr<int64_t>();
  return {sorted, order, {first, first + count}};
}

// Rows of each expert times its weight: [S, I] -> [S, O].
at::Tensor project(const at::Tensor& rows, const Projection& projection, const Assignment& to) {
  const at::Tensor weight = projection.weight->of(rows.scalar_type(), rows.device());
  at::Tensor out = at::empty({rows.size(0), weight.size(2)}, rows.options());
  int64_t begin = 0;
  for (size_t expert = 0; expert < to.ends.size(); ++expert) {
    const int64_t count = to.ends[expert] - begin;
    if (count == 0) continue;
    at::Tensor part = out.narrow(0, begin, count);
    at::mm_out(part, rows.narrow(0, begin, count), weight[static_cast<int64_t>(expert)]);
    begin += count;
  }
  if (projection.bias.defined()) out.add_(projection.bias.index_select(0, to.experts));
  return out;
}

using Gate = std::function<at::Tensor(const at::Tensor&)>;

// (up + 1) * gate * sigmoid(1.702 gate), both kept within the limit, columns taking turns.
at::Tensor limited_gate(const at::Tensor& x, double limit) {
  const at::Tensor pairs = x.unflatten(-1, {-1, 2});
  const at::Tensor gate = pairs.select(-1, 0).clamp_max(limit);
  const at::Tensor up = pairs.select(-1, 1).clamp(-limit, limit);
  return (up + 1) * (gate * at::sigmoid(gate * 1.702));
}

Gate read_gate(Attributes& attributes) {
  const Activation activation = read_activation(attributes, "activation");
  if (attributes.has("limit")) {
    return [limit = attributes.number("limit")](const at::Tensor& x) {
      return limited_gate(x, limit);
    };
  }
  return [activation](const at::Tensor& x) {
    const auto parts = x.chunk(2, -1);
    return activation(parts[0]) * parts[1];
  };
}

// {op="experts", x=, experts=, shares=, gate_up=, gate_up_shape={E, 2 M, width}, down=,
// down_shape={E, width, M}, gate_up_offsets=, down_offsets=, activation=, transposed=, limit=,
// share_first=, out=}: a gated MLP of each chosen expert for x [B, T, width], summed by share.
// Experts are taken in order, each with all of its tokens, as transformers' grouped product has it.
// A transposed weight has its last two sizes swapped; with a limit the gate is that of gpt-oss;
// with share_first an expert is given x times its share, and its output is summed as it is.
Operation experts(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const Slot chosen = attributes.input("experts"), shares = attributes.input("shares");
  const Projection gate_up = read_projection(attributes, "gate_up", "gate_up_offsets");
  const Projection down = read_projection(attributes, "down", "down_offsets");
  const int64_t count = attributes.value("down_shape").front().get<int64_t>();
  const Gate gate = read_gate(attributes);
  const bool share_first = attributes.flag("share_first");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor tokens = frame[x].flatten(0, 1);
    const int64_t ways = frame[chosen].size(1);
    const Assignment to = assign(frame[chosen], count);
    const at::Tensor share = frame[shares].reshape({-1}).index_select(0, to.order).unsqueeze(1);
    at::Tensor rows = tokens.index_select(0, to.order.floor_divide(ways));
    if (share_first) rows = rows * share;
    const at::Tensor made = project(gate(project(rows, gate_up, to)), down, to);
    const at::Tensor weighted = share_first ? made : made * share;
    at::Tensor restored = at::empty_like(weighted);
    restored.index_copy_(0, to.order, weighted);
    const at::Tensor sum =
        restored.view({tokens.size(0), ways, -1}).sum(1).to(tokens.scalar_type());
    frame[out] = rounded_at_random(sum.view(frame[x].sizes()), frame.random_rounding);
  };
}

constexpr OpKind kOps[] = {{"experts", experts}};

}  // namespace

std::span<const OpKind> expert_ops() {
  return kOps;
}

}  // namespace qspec
