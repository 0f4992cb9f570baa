// host.model: runs models. See stdlib/qspec/meta/model.lua for what scripts see.

#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/boundary.h"
#include "bindings/torch/model_handle.h"
#include "bindings/torch/model_weights.h"
#include "bindings/torch/tensor_handle.h"
#include "bindings/torch/torch_boundary.h"
#include "bindings/value.h"
#include "engine/model/divergence.h"
#include "engine/model/generate.h"
#include "engine/model/model.h"
#include "engine/model/score.h"
#include "engine/model/steps.h"

namespace qspec::lua {
namespace {

Json options_at(lua_State* L, int index) {
  if (is_absent(L, index)) return Json::object();
  check_table(L, index);
  return json_at(L, index);
}

void push_ids(lua_State* L, const std::vector<int64_t>& ids) {
  lua_createtable(L, static_cast<int>(ids.size()), 0);
  for (size_t i = 0; i < ids.size(); ++i) {
    push_integer(L, ids[i]);
    lua_rawseti(L, -2, static_cast<int>(i + 1));
  }
}

void set_number(lua_State* L, const char* key, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, key);
}

void push_step(lua_State* L, const GenerateStep& step) {
  lua_createtable(L, 0, 5);
  set_number(L, "token", static_cast<double>(step.token));
  set_number(L, "logit", step.logit);
  set_number(L, "logprob", step.logprob);
  set_number(L, "margin", step.margin);
  set_number(L, "runner_up", static_cast<double>(step.runner_up));
}

void push_generation(lua_State* L, const Generation& generation) {
  lua_createtable(L, 0, 3);
  push_ids(L, generation.ids);
  lua_setfield(L, -2, "ids");
  lua_createtable(L, static_cast<int>(generation.steps.size()), 0);
  for (size_t i = 0; i < generation.steps.size(); ++i) {
    push_step(L, generation.steps[i]);
    lua_rawseti(L, -2, static_cast<int>(i + 1));
  }
  lua_setfield(L, -2, "steps");
  lua_pushstring(L, generation.met_eos ? "eos" : "length");
  lua_setfield(L, -2, "finished");
}

int build(lua_State* L) {
  check_table(L, 1);
  const Weights weights = weights_at(L, 2);
  const BuildOptions options = parse_build_options(options_at(L, 3));
  auto model = std::make_shared<const Model>(json_at(L, 1), weights, options);
  push_handle(L, ModelHandle{std::move(model)});
  return 1;
}

int forward(lua_State* L) {
  const Model& model = model_at(L, 1);
  const TokenBatch batch = make_batch(sequences_at(L, 2), model.vocab_size());
  const RunOptions options = parse_run_options(options_at(L, 3));
  KvCache cache = model.make_cache(batch.ids.size(1));
  std::map<std::string, at::Tensor> taps;
  if (!is_absent(L, 4)) {
    taps = model.encode(make_batch(sequences_at(L, 4), model.vocab_size()), cache, options);
  }
  RunResult result = run_in_steps(model, batch, cache, options);
  result.taps.merge(taps);
  push_tensor(L, result.logits.to(at::kCPU));
  lua_createtable(L, 0, static_cast<int>(result.taps.size()));
  for (auto& [name, tensor] : result.taps) {
    push(L, name);
    push_tensor(L, tensor.to(at::kCPU));
    lua_rawset(L, -3);
  }
  return 2;
}

// One generation, or a list of them when a list of prompts was given.
int generate_ids(lua_State* L) {
  const Model& model = model_at(L, 1);
  const bool nested = is_nested(L, 2);
  const std::vector<std::vector<int64_t>> prompts = sequences_at(L, 2);
  const GenerateOptions options = parse_generate_options(options_at(L, 3), model.vocab_size());
  const std::vector<Generation> found = generate_batch(model, prompts, options);
  if (!nested) {
    push_generation(L, found.front());
    return 1;
  }
  lua_createtable(L, static_cast<int>(found.size()), 0);
  for (size_t i = 0; i < found.size(); ++i) {
    push_generation(L, found[i]);
    lua_rawseti(L, -2, static_cast<int>(i + 1));
  }
  return 1;
}

// processed_scores(logits, ids, prompt_length, options)
int processed(lua_State* L) {
  const at::Tensor logits = check_tensor(L, 1);
  const std::vector<int64_t> ids = ids_at(L, 2);
  const int64_t prompt_length = check_integer(L, 3);
  const GenerateOptions options = parse_generate_options(options_at(L, 4), logits.numel());
  const bool fits = prompt_length >= 1 && prompt_length <= static_cast<int64_t>(ids.size());
  if (logits.dim() != 1 || !fits) {
    throw Error(ErrorKind::kSpec, "processed_scores wants logits [V] and a prompt of some ids");
  }
  make_batch({{ids}}, logits.numel());  // checks the ids
  push_tensor(L, processed_scores(options, ids, static_cast<size_t>(prompt_length), logits));
  return 1;
}

void set_tensor(lua_State* L, const char* key, at::Tensor tensor) {
  push_tensor(L, std::move(tensor));
  lua_setfield(L, -2, key);
}

// model:compare(baseline, ids, first)
int compare(lua_State* L) {
  const int64_t first = is_absent(L, 4) ? 1 : check_integer(L, 4);
  Divergence found = compare_models(model_at(L, 1), model_at(L, 2), ids_at(L, 3), first);
  lua_createtable(L, 0, 6);
  set_tensor(L, "nll", std::move(found.nll));
  set_tensor(L, "baseline_nll", std::move(found.baseline_nll));
  set_tensor(L, "kl", std::move(found.kl));
  set_tensor(L, "same_top", std::move(found.same_top));
  set_tensor(L, "margin", std::move(found.margin));
  set_tensor(L, "baseline_margin", std::move(found.baseline_margin));
  return 1;
}

int score_ids(lua_State* L) {
  push_tensor(L, score(model_at(L, 1), ids_at(L, 2)));
  return 1;
}

// The logits of a few tokens behind `ids`, before they were rounded.
int exact_logits(lua_State* L) {
  const Model& model = model_at(L, 1);
  const TokenBatch batch = make_batch({{ids_at(L, 2)}}, model.vocab_size());
  const TokenBatch wanted = make_batch({{ids_at(L, 3)}}, model.vocab_size());
  KvCache cache = model.make_cache(batch.ids.size(1));
  if (!is_absent(L, 4)) {
    model.encode(make_batch({{ids_at(L, 4)}}, model.vocab_size()), cache);
  }
  const RunResult run = model.run(batch, cache, {.taps = {}, .last_position_only = true});
  push_tensor(L, model.exact_logits(run.hidden.view({-1}), wanted.ids.view({-1})));
  return 1;
}

int taps(lua_State* L) {
  const std::vector<std::string>& names = model_at(L, 1).taps();
  lua_createtable(L, static_cast<int>(names.size()), 0);
  for (size_t i = 0; i < names.size(); ++i) {
    push(L, names[i]);
    lua_rawseti(L, -2, static_cast<int>(i + 1));
  }
  return 1;
}

const luaL_Reg kModelMethods[] = {{"compare", torch_guard<compare>},
                                  {"exact_logits", torch_guard<exact_logits>},
                                  {"forward", torch_guard<forward>},
                                  {"generate", torch_guard<generate_ids>},
                                  {"score", torch_guard<score_ids>},
                                  {"taps", torch_guard<taps>},
                                  {nullptr, nullptr}};

const luaL_Reg kFunctions[] = {{"build", torch_guard<build>},
                               {"processed_scores", torch_guard<processed>},
                               {nullptr, nullptr}};

}  // namespace

extern "C" __attribute__((visibility("default"))) int luaopen_host_model(lua_State* L) {
  std::vector<luaL_Reg> methods(std::begin(kModelMethods), std::end(kModelMethods) - 1);
  for (const luaL_Reg* method = kModelExchange; method->name != nullptr; ++method) {
    methods.push_back(*method);
  }
  methods.push_back({nullptr, nullptr});
  register_type(L, ModelHandle::kLuaName, methods.data(), nullptr, release_handle<ModelHandle>);
  lua_newtable(L);
  luaL_register(L, nullptr, kFunctions);
  return 1;
}

}  // namespace qspec::lua
