// Heads as they lie in the rows of projections.

#include <utility>

#include "engine/model/step/planner.h"

namespace qspec::step {
namespace {

struct Counts {
  int32_t heads, kv_heads, width;
};

struct Parts {
  cuda::HeadPlaces q, k, v;  // `data` and `row` are left to the caller
  int64_t q_from, k_from, v_from;
};

using Layout = Parts (*)(const Counts&);

// Groups of one head.
cuda::HeadPlaces every(int64_t elements) {
  return {.group = elements};
}

// The layouts of engine/model/ops/heads.cc.
Parts concatenated(const Counts& c) {
  const int64_t q = int64_t{c.heads} * c.width, kv = int64_t{c.kv_heads} * c.width;
  return {every(c.width), every(c.width), every(c.width), 0, q, q + kv};
}

Parts by_head(const Counts& c) {
  const cuda::HeadPlaces places = every(int64_t{3} * c.width);
  return {places, places, places, 0, c.width, 2 * c.width};
}

Parts by_group(const Counts& c) {
  const int32_t queries = c.heads / c.kv_heads;
  const int64_t group = int64_t{queries + 2} * c.width;
  return {{.group = group, .head = c.width, .in_group = queries},
          every(group),
          every(group),
          0,
          int64_t{queries} * c.width,
          int64_t{queries + 1} * c.width};
}

// Four blocks of [q | v | k].
Parts four_blocks(const Counts& c) {
  const int32_t heads = c.heads / 4;
  const int64_t part = int64_t{heads} * c.width;
  const cuda::HeadPlaces places{.group = 3 * part, .head = c.width, .in_group = heads};
  return {places, places, places, 0, 2 * part, part};
}

constexpr std::pair<std::string_view, Layout> kLayouts[] = {
    {"codegen", four_blocks},
    {"concat", concatenated},
    {"per_group", by_group},
    {"per_head", by_head},
};

Heads heads_at(Planner& planner, const RowsPtr& rows, cuda::HeadPlaces places, int64_t from,
               int32_t count, int32_t width) {
  places.data =
      static_cast<char*>(rows->data) + from * static_cast<int64_t>(bytes_of(planner.element()));
  places.row = rows->stride;
  return {rows, places, count, width, {}};
}

int32_t count_of(Attributes& attributes, const char* key) {
  constexpr int64_t kMost = int64_t{1} << 20;
  return static_cast<int32_t>(attributes.integer(key, 1, kMost));
}

void split_heads(Planner& planner, Attributes& attributes) {
  const RowsPtr rows = planner.rows(attributes.text("x"));
  const Counts counts{count_of(attributes, "heads"), count_of(attributes, "kv_heads"),
                      count_of(attributes, "width")};
  const Parts parts = attributes.choice<Layout>("layout", kLayouts)(counts);
  const Json& out = attributes.value("out");
  const auto set = [&](size_t i, const cuda::HeadPlaces& places, int64_t from, int32_t heads) {
    planner.set(out[i].get<std::string>(),
                heads_at(planner, rows, places, from, heads, counts.width));
  };
  set(0, parts.q, parts.q_from, counts.heads);
  set(1, parts.k, parts.k_from, counts.kv_heads);
  set(2, parts.v, parts.v_from, counts.kv_heads);
}

void view_heads(Planner& planner, Attributes& attributes) {
  const RowsPtr rows = planner.rows(attributes.text("x"));
  const int32_t width = count_of(attributes, "width");
  planner.set(attributes.text("out"), heads_at(planner, rows, every(width), 0,
                                               static_cast<int32_t>(rows->width / width), width));
}

// Attention leaves heads side by side.
void merge_heads(Planner& planner, Attributes& attributes) {
  planner.set(attributes.text("out"), planner.rows(attributes.text("x")));
}

constexpr StepOp kOps[] = {
    {"merge_heads", merge_heads}, {"split_heads", split_heads}, {"view_heads", view_heads}};

}  // namespace

std::span<const StepOp> head_ops() {
  return kOps;
}

}  // namespace qspec::step
