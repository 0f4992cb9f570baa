// Instructions on hidden states: embeddings, norms, activations, arithmetic.

#include <ATen/ops/add.h>
#include <ATen/ops/scalar_tensor.h>

#include <array>
#include <utility>

#include "engine/model/step/planner.h"

namespace qspec::step {
namespace {

using cuda::ActivationKind;
using cuda::ArithmeticKind;
using cuda::NormKind;

void embedding(Planner& planner, Attributes& attributes) {
  const at::Tensor& table = attributes.dense_module("weight").weight;
  const bool of_positions = attributes.has("offset");
  if (attributes.text("ids") != (of_positions ? "positions" : "ids")) {
    unsupported("an embedding of '" + attributes.text("ids") + "'");
  }
  const RowsPtr out = planner.new_rows(table.size(1));
  cuda::StepEmbedding job{.table = planner.pointer(table),
                          .progress = planner.plan().progress(),
                          .batch = planner.batch(),
                          .rows = table.size(0),
                          .width = table.size(1),
                          .out = out->data,
                          .element = planner.element()};
  if (of_positions) {
    job.offset = attributes.integer("offset", 0, table.size(0));
    if (planner.cache().capacity() + job.offset > table.size(0)) {
      unsupported("positions behind the learned ones");
    }
  } else {
    job.ids = planner.plan().ids.const_data_ptr<int64_t>();
  }
  planner.launch("embedding", planner.source().kernels.embedding, job);
  planner.set(attributes.text("out"), out);
}

// The places of rows as of one head.
cuda::HeadPlaces places_of(const Rows& rows) {
  return {.data = rows.data, .row = rows.stride};
}

// Of a sum of up to three terms that has not been computed: it is, on the way.
void take_sum(Planner& planner, Rows& rows, cuda::StepNorm& job) {
  std::array<RowsPtr, 3> terms;
  for (size_t i = 0; i < rows.terms.size(); ++i) {
    terms[i] = planner.computed(rows.terms[i]);
    if (terms[i]->stride != rows.width) unsupported("a sum of parts of rows");
  }
  const RowsPtr sum = planner.new_rows(rows.width);
  job.x = places_of(*terms[0]);
  for (size_t i = 1; i < rows.terms.size(); ++i) job.added[i - 1] = terms[i]->data;
  job.sum = sum->data;
  rows = *sum;
}

void norm_rows(Planner& planner, Attributes& attributes, cuda::StepNorm job) {
  const RowsPtr x = planner.value<RowsPtr>(attributes.text("x"));
  const std::vector<RowsPtr> terms = x->terms;  // not given back before they are read
  job.width = x->width;
  if (x->terms.size() > 1) {
    take_sum(planner, *x, job);
  } else {
    job.x = places_of(*planner.computed(x));
    if (x->stride != x->width) unsupported("a norm of a part of rows");
  }
  const RowsPtr out = planner.new_rows(x->width);
  job.out = out->data;
  planner.launch("norm", planner.source().kernels.norm, job);
  planner.set(attributes.text("out"), out);
}

// Where they lie.
void norm_heads(Planner& planner, Attributes& attributes, cuda::StepNorm job) {
  const Heads heads = planner.value<Heads>(attributes.text("x"));
  if (heads.rotation) unsupported("a norm of rotated heads");
  job.x = heads.places;
  job.heads = heads.heads;
  job.width = heads.width;
  job.out = const_cast<void*>(heads.places.data);
  planner.launch("norm", planner.source().kernels.norm, job);
  planner.set(attributes.text("out"), heads);
}

void norm(Planner& planner, Attributes& attributes, NormKind kind, const at::Tensor& weight,
          const at::Tensor& bias) {
  if (weight.defined() && weight.dim() != 1) unsupported("a norm with a weight for each head");
  const cuda::StepNorm job{.weight = planner.pointer(weight),
                           .bias = planner.pointer(bias),
                           .batch = planner.batch(),
                           .eps = static_cast<float>(attributes.number("eps")),
                           .kind = kind,
                           .element = planner.element()};
  const bool by_head = planner.holds<Heads>(attributes.text("x"));
  (by_head ? norm_heads : norm_rows)(planner, attributes, job);
}

void layer_norm(Planner& planner, Attributes& attributes) {
  const ModuleWeights& module = attributes.dense_module("weight");
  const at::Tensor weight = attributes.flag("plus_one") ? at::add(module.weight, 1) : module.weight;
  norm(planner, attributes, NormKind::kLayer, weight, module.bias);
}

void layer_norm_fp32(Planner& planner, Attributes& attributes) {
  norm(planner, attributes, NormKind::kLayer, attributes.dense_module("weight").weight, {});
}

void layer_norm_bare(Planner& planner, Attributes& attributes) {
  norm(planner, attributes, NormKind::kLayer, {}, {});
}

constexpr std::pair<std::string_view, NormKind> kWeightings[] = {
    {"after_rounding", NormKind::kRmsAfterRounding},
    {"after_own_rounding", NormKind::kRmsAfterRounding},
    {"before_rounding", NormKind::kRmsBeforeRounding},
    {"one_plus", NormKind::kRmsOnePlus},
};

void rms_norm(Planner& planner, Attributes& attributes) {
  const NormKind kind = attributes.choice<NormKind>("weighting", kWeightings);
  norm(planner, attributes, kind, attributes.dense_module("weight").weight, {});
}

void rms_norm_bare(Planner& planner, Attributes& attributes) {
  norm(planner, attributes, NormKind::kRmsBeforeRounding, {}, {});
}

constexpr std::pair<std::string_view, ActivationKind> kActivations[] = {
    {"bloom_gelu", ActivationKind::kBloomGelu},
    {"gelu", ActivationKind::kGelu},
    {"gelu_fast", ActivationKind::kGeluFast},
    {"gelu_new", ActivationKind::kGeluNew},
    {"gelu_pytorch_tanh", ActivationKind::kGeluTanh},
    {"quick_gelu", ActivationKind::kQuickGelu},
    {"relu", ActivationKind::kRelu},
    {"relu2", ActivationKind::kReluSquared},
    {"sigmoid", ActivationKind::kSigmoid},
    {"silu", ActivationKind::kSilu},
    {"swish", ActivationKind::kSilu},
    {"tanh", ActivationKind::kTanh},
};

void activation(Planner& planner, Attributes& attributes) {
  const RowsPtr x = planner.rows(attributes.text("x"));
  const auto out = std::make_shared<Rows>();
  out->width = x->width;
  out->activation = {attributes.choice<ActivationKind>("kind", kActivations), x};
  planner.set(attributes.text("out"), out);
}

// {activation, mul} as one launch.
void gate(Planner& planner, const RowsPtr& x, const RowsPtr& other, const RowsPtr& out) {
  planner.launch("activation", planner.source().kernels.activation,
                 cuda::StepActivation{.x = x->activation->x->data,
                                      .other = other->data,
                                      .x_row = x->activation->x->stride,
                                      .other_row = other->stride,
                                      .batch = planner.batch(),
                                      .width = x->width,
                                      .kind = x->activation->kind,
                                      .out = out->data,
                                      .element = planner.element()});
}

void mul(Planner& planner, Attributes& attributes) {
  const RowsPtr x = planner.value<RowsPtr>(attributes.text("x"));
  const RowsPtr other = planner.rows(attributes.text("y"));
  if (x->data != nullptr || !x->activation || x->width != other->width) {
    unsupported("a product of hidden states");
  }
  const RowsPtr out = planner.new_rows(x->width);
  gate(planner, x, other, out);
  planner.set(attributes.text("out"), out);
}

// Rows that wait for a norm to take them in. (Of scores: attention_ops.cc.)
void add_rows(Planner& planner, Attributes& attributes) {
  constexpr size_t kMostTerms = 3;
  const RowsPtr x = planner.value<RowsPtr>(attributes.text("x"));
  const RowsPtr y = planner.computed(planner.value<RowsPtr>(attributes.text("y")));
  if (x->width != y->width) unsupported("a sum of unlike rows");
  const auto out = std::make_shared<Rows>();
  out->width = x->width;
  const bool continues = x->data == nullptr && !x->terms.empty() && x->terms.size() < kMostTerms;
  out->terms = continues ? x->terms : std::vector{planner.computed(x)};
  out->terms.push_back(y);
  planner.set(attributes.text("out"), out);
}

void mask_scores(Planner& planner, Attributes& attributes) {
  Scores scores = planner.value<Scores>(attributes.text("x"));
  if (scores.mask || scores.shared) unsupported("a second mask");
  scores.mask = planner.value<Mask>(attributes.text("y"));
  planner.set(attributes.text("out"), scores);
}

void add(Planner& planner, Attributes& attributes) {
  const bool of_scores = planner.holds<Scores>(attributes.text("x"));
  (of_scores ? mask_scores : add_rows)(planner, attributes);
}

void arithmetic(Planner& planner, Attributes& attributes, ArithmeticKind kind, double number) {
  const RowsPtr x = planner.rows(attributes.text("x"));
  const RowsPtr out = planner.new_rows(x->width);
  planner.launch("arithmetic", planner.source().kernels.arithmetic,
                 cuda::StepArithmetic{.kind = kind,
                                      .x = x->data,
                                      .number = static_cast<float>(number),
                                      .x_row = x->stride,
                                      .batch = planner.batch(),
                                      .width = x->width,
                                      .out = out->data,
                                      .element = planner.element()});
  planner.set(attributes.text("out"), out);
}

void scale(Planner& planner, Attributes& attributes) {
  double by = attributes.number("by");
  if (attributes.flag("rounded")) {
    by = at::scalar_tensor(by, planner.plan().dtype).to(at::kDouble).item<double>();
  }
  arithmetic(planner, attributes, ArithmeticKind::kMultiply, by);
}

void divide(Planner& planner, Attributes& attributes) {
  arithmetic(planner, attributes, ArithmeticKind::kDivide, attributes.number("by"));
}

void softcap(Planner& planner, Attributes& attributes) {
  arithmetic(planner, attributes, ArithmeticKind::kSoftcap, attributes.number("cap"));
}

// Views.
void split(Planner& planner, Attributes& attributes) {
  const RowsPtr x = planner.rows(attributes.text("x"));
  const auto bytes = static_cast<int64_t>(cuda::bytes_of(planner.element()));
  const Json& sizes = attributes.value("sizes");
  int64_t from = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const auto part = std::make_shared<Rows>(*x);
    part->data = static_cast<char*>(x->data) + from * bytes;
    part->width = sizes[i].get<int64_t>();
    from += part->width;
    planner.set(attributes.value("out")[i].get<std::string>(), part);
  }
}

// Each sequence has one position.
void last_position(Planner& planner, Attributes& attributes) {
  planner.set(attributes.text("out"), planner.value<RowsPtr>(attributes.text("x")));
}

// Hidden states are asked of whole runs.
void tap(Planner& /*planner*/, Attributes& /*attributes*/) {}

constexpr StepOp kOps[] = {{"activation", activation},
                           {"add", add},
                           {"divide", divide},
                           {"embedding", embedding},
                           {"last_position", last_position},
                           {"layer_norm", layer_norm},
                           {"layer_norm_bare", layer_norm_bare},
                           {"layer_norm_fp32", layer_norm_fp32},
                           {"mul", mul},
                           {"rms_norm", rms_norm},
                           {"rms_norm_bare", rms_norm_bare},
                           {"scale", scale},
                           {"softcap", softcap},
                           {"split", split},
                           {"tap", tap}};

}  // namespace

std::span<const StepOp> row_ops() {
  return kOps;
}

}  // namespace qspec::step
