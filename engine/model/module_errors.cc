#include "engine/model/module_errors.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "engine/core/error.h"

namespace qspec {
namespace {

// Sums over the outputs of one instruction.
struct Sums {
  double signal = 0, noise = 0;

  void add(const at::Tensor& found, const at::Tensor& wanted) {
    const at::Tensor reference = wanted.to(at::kDouble);
    signal += reference.square().sum().item<double>();
    noise += (reference - found.to(at::kDouble)).square().sum().item<double>();
  }

  double sqnr_db() const { return noise == 0 ? INFINITY : 10 * std::log10(signal / noise); }
};

// One of the two models on its way through its program.
class Runner {
 public:
  Runner(const Model& model, const Program& program, const TokenBatch& batch, KvCache& cache)
      : program_(program),
        frame_{std::vector<at::Tensor>(program.slots()), cache, false, no_taps_, {}, {}, {}} {
    std::vector<at::Tensor> given = registers_of(batch, 0, model.device());
    given.insert(given.end(), cache.source().begin(), cache.source().end());
    for (size_t i = 0; i < program.given().size(); ++i) frame_[program.given()[i]] = given.at(i);
  }

  void step(size_t index) { program_.instructions()[index]->run(frame_); }

  void forget(size_t index) {
    for (const Slot slot : program_.instructions()[index]->last_read) frame_[slot].reset();
  }

  // The outputs of this program's instruction, given what the other's reads.
  std::vector<at::Tensor> on_input_of(const Runner& other, size_t index) const {
    Frame frame = other.frame_;
    program_.instructions()[index]->run(frame);
    return outputs(frame, index);
  }

  std::vector<at::Tensor> outputs(size_t index) const { return outputs(frame_, index); }

 private:
  std::vector<at::Tensor> outputs(const Frame& frame, size_t index) const {
    std::vector<at::Tensor> found;
    for (const Slot slot : program_.instructions()[index]->writes) {
      if (at::isFloatingType(frame.slots[slot].scalar_type())) found.push_back(frame.slots[slot]);
    }
    return found;
  }

  static const inline std::set<std::string, std::less<>> no_taps_;
  const Program& program_;
  Frame frame_;
};

double sqnr_db(const std::vector<at::Tensor>& found, const std::vector<at::Tensor>& wanted) {
  Sums sums;
  for (size_t i = 0; i < wanted.size(); ++i) sums.add(found[i], wanted[i]);
  return sums.sqnr_db();
}

ModuleError error_of(const std::vector<std::string>& modules, const Runner& model,
                     const Runner& baseline, size_t index) {
  const std::vector<at::Tensor> wanted = baseline.outputs(index);
  return {modules, sqnr_db(model.on_input_of(baseline, index), wanted),
          sqnr_db(baseline.on_input_of(model, index), wanted),
          sqnr_db(model.outputs(index), wanted)};
}

void walk(const Program& program, Runner model, Runner baseline, std::vector<ModuleError>& errors) {
  for (size_t i = 0; i < program.instructions().size(); ++i) {
    model.step(i);
    baseline.step(i);
    const std::vector<std::string>& modules = program.instructions()[i]->modules;
    if (!modules.empty()) errors.push_back(error_of(modules, model, baseline, i));
    model.forget(i);
    baseline.forget(i);
  }
}

}  // namespace

std::vector<ModuleError> module_errors(const Model& model, const Model& baseline,
                                       const TokenBatch& batch,
                                       const std::optional<TokenBatch>& sources) {
  baseline.with(model, {});  // refuses models that are not alike
  std::vector<ModuleError> errors;
  KvCache cache = model.make_cache(batch.ids.size(1)), other = model.make_cache(batch.ids.size(1));
  if (sources) {
    model.encode(*sources, cache);
    baseline.encode(*sources, other);
    const Program& encoder = model.encoder().value();
    KvCache none = model.make_cache(sources->ids.size(1)), nothing = none;
    walk(encoder, {model, encoder, *sources, none},
         {baseline, baseline.encoder().value(), *sources, nothing}, errors);
  }
  walk(model.decoder(), {model, model.decoder(), batch, cache},
       {baseline, baseline.decoder(), batch, other}, errors);
  return errors;
}

}  // namespace qspec
