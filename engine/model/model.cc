#include "engine/model/model.h"

#include <algorithm>
#include <utility>

#include "engine/core/error.h"
#include "engine/kernels/step/table.h"
#include "engine/kernels/table.h"
#include "engine/model/did_you_mean.h"
#include "engine/model/placement.h"
#include "engine/model/shown.h"
#include "engine/model/step/neighbours.h"
#include "engine/tensor/gpu_kernels.h"

namespace qspec {
namespace {

constexpr int64_t kMostLayers = 65536;
constexpr int64_t kMostIds = int64_t{1} << 31;

const Json& field(const Json& program, const char* name) {
  const auto found = program.is_object() ? program.find(name) : program.end();
  if (found == program.end()) {
    throw Error(ErrorKind::kSpec, "the program has no field '" + std::string(name) + "'");
  }
  return *found;
}

int64_t count(const Json& program, const char* name, int64_t most) {
  const Json& found = field(program, name);
  const double value = found.is_number() ? found.get<double>() : -1;
  if (!(value >= 1 && value <= static_cast<double>(most))) {
    throw Error(ErrorKind::kSpec, "the program's '" + std::string(name) + "' is " + shown(found) +
                                      ", wanted 1 to " + std::to_string(most));
  }
  return static_cast<int64_t>(value);
}

std::string text(const Json& found, const char* name) {
  if (!found.is_string()) {
    throw Error(ErrorKind::kSpec, "the program's '" + std::string(name) + "' is not a name");
  }
  return found.get<std::string>();
}

std::vector<std::string> names(const Json& encoder) {
  std::vector<std::string> list;
  for (const Json& name : field(encoder, "kept")) list.push_back(text(name, "kept"));
  if (list.empty()) throw Error(ErrorKind::kSpec, "the program's 'kept' is empty");
  return list;
}

// Whether no later run can want what this one leaves in the cache.
bool is_last_run(const TokenBatch& batch, const KvCache& cache) {
  return cache.length() == 0 && cache.capacity() == batch.ids.size(1);
}

const cuda::StepTable* kernels_of(c10::Device device) {
  return device.is_cuda() && gpu_kernels() != nullptr ? gpu_kernels()->step : nullptr;
}

// Bytes of decoded weights that are kept: on a GPU no more than leave a third of its free memory to
// what runs.
int64_t budget_of(const BuildOptions& options, const cuda::StepTable* kernels) {
  if (kernels == nullptr) return options.dense_budget;
  return std::min(options.dense_budget, kernels->free_bytes() / 3 * 2);
}

}  // namespace

Model::Model(const Json& program, const Weights& weights, const BuildOptions& options)
    : vocab_size_(count(program, "vocab_size", kMostIds)),
      layers_(count(program, "layers", kMostLayers)),
      device_(options.device),
      step_kernels_(options.step_kernels != nullptr ? options.step_kernels : kernels_of(device_)),
      ops_(field(program, "ops")),
      logits_(text(field(program, "logits"), "logits")),
      weights_(placed(weights, device_)) {
  if (step_kernels_ != nullptr) {
    step::place_side_by_side(ops_, weights_, step_kernels_->free_bytes() / 2);
  }
  Preparation preparation{{}, weights_, {budget_of(options, step_kernels_)}, layers_, {}};
  std::vector<std::string> given = {"ids", "positions", "keys"};
  if (program.contains("encoder")) {
    const Json& encoder = program["encoder"];
    const std::vector<std::string> kept = names(encoder);
    encoder_.emplace(field(encoder, "ops"), given, kept, preparation);
    given.insert(given.end(), kept.begin(), kept.end());
  }
  decoder_.emplace(ops_, given, std::vector{logits_}, preparation);
  if (step_kernels_ == nullptr) {
    weights_ = {};  // the instructions have what they need of them
  } else {
    linears_ = std::move(preparation.linears);
  }
}

step::Source Model::step_source() const {
  return {ops_, logits_, weights_, linears_, *step_kernels_, layers_, device_};
}

RunResult Model::run(const TokenBatch& batch, KvCache& cache, const RunOptions& options) const {
  check_taps(options.taps);
  std::vector<at::Tensor> given = registers_of(batch, cache.length(), device_);
  const std::vector<at::Tensor>& source = cache.source();
  if (has_encoder() && cache.sources() != batch.ids.size(0)) {
    throw Error(ErrorKind::kSpec, std::to_string(batch.ids.size(0)) + " sequences for " +
                                      std::to_string(cache.sources()) + " encoded sources")
        .hint("the decoder of an encoder-decoder needs a source for each sequence");
  }
  given.insert(given.end(), source.begin(), source.end());
  const bool may_skip = options.taps.empty() && is_last_run(batch, cache);
  Program::Result result =
      decoder_->run(given, cache, options, may_skip ? prefixes_.get() : nullptr);
  cache.advance(batch.ids.size(1));
  return {std::move(result.kept.front()), std::move(result.hidden), std::move(result.taps)};
}

at::Tensor Model::exact_logits(const at::Tensor& hidden, const at::Tensor& tokens) const {
  return decoder_->exact(hidden, tokens.to(device_)).to(at::kCPU, at::kDouble);
}

std::map<std::string, at::Tensor> Model::encode(const TokenBatch& sources, KvCache& cache,
                                                const RunOptions& options) const {
  if (!has_encoder()) {
    throw Error(ErrorKind::kSpec, "the model has no encoder that would read a source")
        .hint("a decoder continues its prompt");
  }
  check_taps(options.taps);
  Program::Result result = encoder_->run(registers_of(sources, 0, device_), cache, options);
  cache.set_source(sources.ids.size(0), std::move(result.kept));
  return std::move(result.taps);
}

Model Model::with(const Model& other, const std::set<std::string>& names) const {
  check_modules(names);
  if (has_encoder() != other.has_encoder()) {
    throw Error(ErrorKind::kSpec, "only one of the two models has an encoder");
  }
  Model result = *this;
  result.decoder_ = decoder_->with(*other.decoder_, names);
  if (encoder_) result.encoder_ = encoder_->with(*other.encoder_, names);
  result.step_kernels_ = nullptr;  // a planned step would have this model's weights alone
  return result;
}

Model Model::remembering(int64_t bytes) const {
  Model result = *this;
  result.prefixes_ = std::make_shared<PrefixCache>(bytes);
  return result;
}

std::vector<std::vector<std::string>> Model::module_groups() const {
  std::vector<std::vector<std::string>> groups;
  std::set<std::string> known;
  for (const auto* program : {&encoder_, &decoder_}) {
    if (!*program) continue;
    for (const auto& instruction : (*program)->instructions()) {
      const std::vector<std::string>& names = instruction->modules;
      const size_t before = known.size();
      known.insert(names.begin(), names.end());
      if (known.size() > before) groups.push_back(names);
    }
  }
  return groups;
}

void Model::check_modules(const std::set<std::string>& names) const {
  std::vector<std::string> known;
  for (const std::vector<std::string>& group : module_groups()) {
    known.insert(known.end(), group.begin(), group.end());
  }
  const std::set<std::string> there(known.begin(), known.end());
  for (const std::string& name : names) {
    if (there.contains(name)) continue;
    throw Error(ErrorKind::kSpec, "the model's program has no module '" + printable(name) + "'")
        .hint(did_you_mean(name, known));
  }
}

std::vector<std::string> Model::taps() const {
  std::vector<std::string> all;
  if (encoder_) all = encoder_->taps();
  all.insert(all.end(), decoder_->taps().begin(), decoder_->taps().end());
  return all;
}

void Model::check_taps(const std::set<std::string, std::less<>>& wanted) const {
  const std::vector<std::string> known = taps();
  for (const std::string& name : wanted) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw Error(ErrorKind::kSpec, "the model has no hidden state '" + printable(name) + "'")
        .hint(did_you_mean(name, known));
  }
}

}  // namespace qspec
