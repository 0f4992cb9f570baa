#include "engine/model/model.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "engine/core/error.h"
#include "engine/model/attributes.h"
#include "engine/model/did_you_mean.h"
#include "engine/model/ops/tables.h"
#include "engine/model/placement.h"
#include "engine/model/shown.h"

namespace qspec {
namespace {

constexpr int64_t kMostLayers = 65536;
constexpr int64_t kMostIds = int64_t{1} << 31;

std::array<std::span<const OpKind>, 14> op_tables() {
  return {embedding_ops(), linear_ops(),    norm_ops(),   activation_ops(), arithmetic_ops(),
          head_ops(),      attention_ops(), bias_ops(),   rope_ops(),       sdpa_ops(),
          part_ops(),      routing_ops(),   expert_ops(), output_ops()};
}

Operation prepare(Attributes& attributes) {
  std::vector<std::string> names;
  for (const auto& table : op_tables()) {
    for (const OpKind& kind : table) {
      if (kind.name == attributes.op()) return kind.prepare(attributes);
      names.emplace_back(kind.name);
    }
  }
  attributes.fail_unknown_op(names);
}

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

std::string text(const Json& program, const char* name) {
  const Json& found = field(program, name);
  if (!found.is_string()) {
    throw Error(ErrorKind::kSpec, "the program's '" + std::string(name) + "' is not a name");
  }
  return found.get<std::string>();
}

Slot logits_slot(const Json& program, const Registers& registers) {
  const std::string name = text(program, "logits");
  if (const Slot* found = registers.find(name)) return *found;
  throw Error(ErrorKind::kSpec, "no instruction writes '" + printable(name) + "'")
      .hint(did_you_mean(name, registers.names()));
}

// By instruction, the slots that it is the last to read.
std::vector<std::vector<Slot>> last_reads(const std::vector<std::vector<Slot>>& reads, size_t slots,
                                          Slot kept) {
  std::vector<std::optional<size_t>> last(slots);
  for (size_t i = 0; i < reads.size(); ++i) {
    for (const Slot slot : reads[i]) last[slot] = i;
  }
  std::vector<std::vector<Slot>> result(reads.size());
  for (Slot slot = 0; slot < slots; ++slot) {
    if (slot != kept && last[slot]) result[*last[slot]].push_back(slot);
  }
  return result;
}

}  // namespace

Model::Model(const Json& program, const Weights& weights, const BuildOptions& options)
    : vocab_size_(count(program, "vocab_size", kMostIds)),
      layers_(count(program, "layers", kMostLayers)),
      device_(options.device) {
  const Weights on_device = placed(weights, device_);
  Preparation preparation{{}, on_device, {options.dense_budget}, layers_};
  Registers& registers = preparation.registers;
  ids_ = registers.define("ids");
  positions_ = registers.define("positions");
  keys_ = registers.define("keys");
  std::vector<std::vector<Slot>> reads;
  for (const Json& instruction : field(program, "ops")) {
    Attributes attributes(instruction, reads.size(), preparation);
    instructions_.push_back({prepare(attributes), {}});
    attributes.finish();
    reads.push_back(attributes.read_slots());
    if (attributes.op() == "tap") taps_.push_back(attributes.text("name"));
  }
  logits_ = logits_slot(program, registers);
  slots_ = registers.slots();
  auto last = last_reads(reads, slots_, logits_);
  for (size_t i = 0; i < last.size(); ++i) instructions_[i].last_read = std::move(last[i]);
}

RunResult Model::run(const TokenBatch& batch, KvCache& cache, const RunOptions& options) const {
  check_taps(options.taps);
  const int64_t tokens = batch.ids.size(1);
  Frame frame{std::vector<at::Tensor>(slots_), cache, options.last_position_only, options.taps, {}};
  frame[ids_] = batch.ids.to(device_);
  frame[keys_] = batch.keys.to(device_);
  frame[positions_] =
      frame[keys_].cumsum(1).sub_(1).clamp_min_(0).narrow(1, cache.length(), tokens);
  for (const Instruction& instruction : instructions_) {
    instruction.run(frame);
    for (const Slot slot : instruction.last_read) frame[slot].reset();
  }
  cache.advance(tokens);
  return {std::move(frame[logits_]), std::move(frame.taps)};
}

void Model::check_taps(const std::set<std::string, std::less<>>& wanted) const {
  for (const std::string& name : wanted) {
    if (std::find(taps_.begin(), taps_.end(), name) != taps_.end()) continue;
    throw Error(ErrorKind::kSpec, "the model has no hidden state '" + printable(name) + "'")
        .hint(did_you_mean(name, taps_));
  }
}

}  // namespace qspec
