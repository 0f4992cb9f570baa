// From heads to what attention gives: rotation, cache, scores and values become one launch.

#include <ATen/ops/empty.h>

#include <utility>

#include "engine/model/ops/alibi_slopes.h"
#include "engine/model/ops/rope_frequencies.h"
#include "engine/model/step/planner.h"

namespace qspec::step {
namespace {

using cuda::RotationStyle;
using cuda::RotationTable;

void rope_table(Planner& planner, Attributes& attributes) {
  const auto frequencies = read_rope_frequencies(attributes);
  const at::Tensor values = frequencies->of(1);
  if (!values.equal(frequencies->of(planner.cache().capacity()))) {
    unsupported("rotary frequencies that depend on the length");
  }
  RotationTable table{.pairs = static_cast<int32_t>(values.numel()),
                      .precise_table = attributes.flag("precise")};
  const int64_t bytes = planner.batch() * values.numel() * int64_t{sizeof(float)};
  // Kept for all layers.
  table.cos = planner.keep(at::empty({bytes}, at::kByte)).mutable_data_ptr();
  table.sin = planner.keep(at::empty({bytes}, at::kByte)).mutable_data_ptr();
  planner.launch(
      "angles", planner.source().kernels.angles,
      cuda::RotationAngles{.to = table,
                           .frequencies = planner.keep(values.contiguous()).const_data_ptr<float>(),
                           .amplitude = static_cast<float>(attributes.number("amplitude")),
                           .progress = planner.plan().progress(),
                           .batch = planner.batch(),
                           .element = planner.element()});
  for (const Json& out : attributes.value("out")) planner.set(out.get<std::string>(), table);
}

constexpr std::pair<std::string_view, RotationStyle> kStyles[] = {
    {"halves", RotationStyle::kHalves},
    {"neighbours", RotationStyle::kNeighbours},
    {"neighbours_to_halves", RotationStyle::kNeighboursToHalves},
};

void rope(Planner& planner, Attributes& attributes) {
  Heads heads = planner.value<Heads>(attributes.text("x"));
  if (heads.rotation) unsupported("a second rotation");
  heads.rotation = {planner.value<RotationTable>(attributes.text("cos")),
                    attributes.choice<RotationStyle>("style", kStyles), attributes.flag("precise")};
  planner.set(attributes.text("out"), heads);
}

void cache(Planner& planner, Attributes& attributes) {
  const int64_t layer = attributes.layer();
  const Json& out = attributes.value("out");
  const Heads k = planner.value<Heads>(attributes.text("k"));
  const Heads v = planner.value<Heads>(attributes.text("v"));
  planner.set(out[0].get<std::string>(), Cached{layer, k});
  planner.set(out[1].get<std::string>(), Cached{layer, v});
}

void mask(Planner& planner, Attributes& attributes) {
  if (attributes.has("chunk")) unsupported("attention in chunks");
  constexpr int64_t kMost = int64_t{1} << 40;
  const int64_t window =
      attributes.has("window") ? attributes.integer("window", 0, kMost) : int64_t{0};
  const bool is_wide = window >= planner.cache().capacity();
  planner.set(attributes.text("out"), Mask{is_wide ? 0 : static_cast<int32_t>(window)});
}

void alibi(Planner& planner, Attributes& attributes) {
  planner.set(attributes.text("out"), Slopes{alibi_slopes(attributes).view({-1})});
}

// Scores of models that are written out, which round each step.
void scores(Planner& planner, Attributes& attributes) {
  const bool divides = attributes.has("divide");
  Scores made{planner.value<Heads>(attributes.text("q")),
              planner.value<Cached>(attributes.text("k")),
              {},
              {},
              {},
              false};
  made.scoring = {.scale = static_cast<float>(attributes.number(divides ? "divide" : "scale")),
                  .divides = divides,
                  .rounds = true,
                  .fp32_products = attributes.flag("fp32")};
  planner.set(attributes.text("out"), made);
}

void biased_scores(Planner& planner, Attributes& attributes) {
  Scores made{planner.value<Heads>(attributes.text("q")),
              planner.value<Cached>(attributes.text("k")),
              {},
              planner.value<Slopes>(attributes.text("bias")).values,
              {},
              false};
  made.scoring = {.scale = static_cast<float>(attributes.number("scale")), .rounds = true};
  planner.set(attributes.text("out"), made);
}

void softmax(Planner& planner, Attributes& attributes) {
  Scores made = planner.value<Scores>(attributes.text("x"));
  made.shared = true;
  planner.set(attributes.text("out"), made);
}

void check_alike(const Planner& planner, const Scores& scores, const Cached& v) {
  const Heads &q = scores.q, &k = scores.k.added;
  const bool same_turn = q.rotation.has_value() == k.rotation.has_value() &&
                         (!q.rotation || (q.rotation->table.cos == k.rotation->table.cos &&
                                          q.rotation->style == k.rotation->style &&
                                          q.rotation->precise == k.rotation->precise));
  if (!same_turn) unsupported("queries and keys that are rotated differently");
  if (v.added.rotation) unsupported("values that are rotated");
  if (q.width != k.width || q.width != v.added.width) unsupported("heads of unlike width");
  if (k.heads != v.added.heads || q.heads % k.heads != 0 || scores.k.layer != v.layer) {
    unsupported("keys and values of unlike heads");
  }
  const auto& [keys, values] = planner.cache().stored(v.layer);
  if (!keys.defined() || keys.scalar_type() != planner.dtype() || !keys.is_contiguous() ||
      !values.is_contiguous() || values.scalar_type() != planner.dtype()) {
    unsupported("a cache of another dtype");
  }
}

void attend(Planner& planner, const Scores& scores, const Cached& v, const std::string& out) {
  check_alike(planner, scores, v);
  const Heads &q = scores.q, &k = scores.k.added;
  const auto& [keys, values] = planner.cache().stored(v.layer);
  const RowsPtr to = planner.new_rows(int64_t{q.heads} * q.width);
  cuda::StepAttention job{.q = q.places,
                          .k = k.places,
                          .v = v.added.places,
                          .keys = planner.keep(keys).mutable_data_ptr(),
                          .values = planner.keep(values).mutable_data_ptr(),
                          .capacity = planner.cache().capacity(),
                          .progress = planner.plan().progress(),
                          .batch = planner.batch(),
                          .heads = q.heads,
                          .kv_heads = k.heads,
                          .width = q.width,
                          .scoring = scores.scoring,
                          .window = scores.mask->window,
                          .out = to->data,
                          .element = planner.element()};
  if (q.rotation) {
    job.table = q.rotation->table;
    job.style = q.rotation->style;
    job.precise_rotation = q.rotation->precise;
  }
  if (scores.slopes.defined()) {
    job.slopes = planner.keep(scores.slopes.contiguous()).const_data_ptr<float>();
  }
  if (planner.source().kernels.attention_capacity(job) < job.capacity) {
    unsupported("attention over " + std::to_string(job.capacity) + " tokens");
  }
  planner.launch("attention", planner.source().kernels.attention, job);
  planner.set(out, to);
}

void weighted_values(Planner& planner, Attributes& attributes) {
  const Scores scores = planner.value<Scores>(attributes.text("weights"));
  if (!scores.shared || !scores.mask) unsupported("values without a softmax or a mask");
  attend(planner, scores, planner.value<Cached>(attributes.text("v")), attributes.text("out"));
}

void sdpa(Planner& planner, Attributes& attributes) {
  Scores made{planner.value<Heads>(attributes.text("q")),
              planner.value<Cached>(attributes.text("k")),
              {.scale = static_cast<float>(attributes.number("scale"))},
              {},
              planner.value<Mask>(attributes.text("mask")),
              true};
  attend(planner, made, planner.value<Cached>(attributes.text("v")), attributes.text("out"));
}

constexpr StepOp kOps[] = {{"alibi", alibi},
                           {"attention_mask", mask},
                           {"biased_scores", biased_scores},
                           {"cache", cache},
                           {"causal_mask", mask},
                           {"rope", rope},
                           {"rope_table", rope_table},
                           {"scores", scores},
                           {"sdpa", sdpa},
                           {"softmax", softmax},
                           {"weighted_values", weighted_values}};

}  // namespace

std::span<const StepOp> attention_ops() {
  return kOps;
}

}  // namespace qspec::step
