#include "engine/model/program.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "engine/core/error.h"
#include "engine/model/did_you_mean.h"
#include "engine/model/ops/tables.h"
#include "engine/model/random_rounding.h"

namespace qspec {
namespace {

std::array<std::span<const OpKind>, 15> op_tables() {
  return {embedding_ops(), linear_ops(),    norm_ops(),   activation_ops(), arithmetic_ops(),
          head_ops(),      attention_ops(), bias_ops(),   rope_ops(),       sdpa_ops(),
          part_ops(),      routing_ops(),   expert_ops(), output_ops(),     distance_ops()};
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

Slot written(const std::string& name, const Registers& registers) {
  if (const Slot* found = registers.find(name)) return *found;
  throw Error(ErrorKind::kSpec, "no instruction writes '" + printable(name) + "'")
      .hint(did_you_mean(name, registers.names()));
}

// By instruction, the slots that it is the last to read, without those that are held for later.
std::vector<std::vector<Slot>> last_reads(const std::vector<std::vector<Slot>>& reads, size_t slots,
                                          const std::vector<Slot>& held) {
  std::vector<std::optional<size_t>> last(slots);
  for (size_t i = 0; i < reads.size(); ++i) {
    for (const Slot slot : reads[i]) last[slot] = i;
  }
  for (const Slot slot : held) last[slot].reset();
  std::vector<std::vector<Slot>> result(reads.size());
  for (Slot slot = 0; slot < slots; ++slot) {
    if (last[slot]) result[*last[slot]].push_back(slot);
  }
  return result;
}

}  // namespace

Program::Program(const Json& instructions, const std::vector<std::string>& given,
                 const std::vector<std::string>& kept, Preparation& preparation) {
  preparation.registers = Registers();
  for (const std::string& name : given) given_.push_back(preparation.registers.define(name));
  std::vector<std::vector<Slot>> reads;
  std::vector<Instruction> prepared;
  for (const Json& instruction : instructions) {
    Attributes attributes(instruction, reads.size(), preparation);
    Operation run = prepare(attributes);
    attributes.finish();
    prepared.push_back({std::move(run),
                        attributes.modules(),
                        attributes.written_slots(),
                        {},
                        attributes.op() == "tap"});
    reads.push_back(attributes.read_slots());
    if (attributes.op() == "linear") last_linear_ = {reads.size() - 1, reads.back().front()};
    if (attributes.op() == "tap") taps_.push_back(attributes.text("name"));
  }
  for (const std::string& name : kept) kept_.push_back(written(name, preparation.registers));
  slots_ = preparation.registers.slots();
  std::vector<Slot> held = kept_;
  if (last_linear_) held.push_back(last_linear_->input);
  auto last = last_reads(reads, slots_, held);
  for (size_t i = 0; i < last.size(); ++i) {
    prepared[i].last_read = std::move(last[i]);
    instructions_.push_back(std::make_shared<const Instruction>(std::move(prepared[i])));
  }
}

Program::Result Program::run(const std::vector<at::Tensor>& given, KvCache& cache,
                             const RunOptions& options, PrefixCache* prefixes) const {
  Frame frame{std::vector<at::Tensor>(slots_),
              cache,
              options.last_position_only,
              options.taps,
              {},
              {},
              random_rounding(options.random_rounding)};
  for (size_t i = 0; i < given_.size(); ++i) frame[given_[i]] = given.at(i);
  size_t next = prefixes != nullptr ? prefixes->resume(given, instructions_, frame.slots) : 0;
  for (; next < instructions_.size(); ++next) {
    const Instruction& instruction = *instructions_[next];
    instruction.run(frame);
    for (const Slot slot : instruction.last_read) frame[slot].reset();
    if (prefixes != nullptr && instruction.is_tap) {
      prefixes->keep(given, {instructions_.data(), next + 1}, frame.slots);
    }
  }
  Result result{{}, {}, std::move(frame.taps)};
  for (const Slot slot : kept_) result.kept.push_back(frame[slot]);
  if (last_linear_) result.hidden = frame[last_linear_->input];
  return result;
}

Program Program::with(const Program& other, const std::set<std::string>& modules) const {
  const auto is_alike = [](const auto& one, const auto& another) {
    return one->modules == another->modules && one->writes == another->writes;
  };
  if (!std::equal(instructions_.begin(), instructions_.end(), other.instructions_.begin(),
                  other.instructions_.end(), is_alike)) {
    throw Error(ErrorKind::kSpec, "the two models were made from different programs")
        .hint("modules can be exchanged between models of one architecture and config");
  }
  Program result = *this;
  for (size_t i = 0; i < instructions_.size(); ++i) {
    const std::vector<std::string>& bound = instructions_[i]->modules;
    const bool is_wanted = std::any_of(bound.begin(), bound.end(), [&](const std::string& name) {
      return modules.contains(name);
    });
    if (is_wanted) result.instructions_[i] = other.instructions_[i];
  }
  return result;
}

at::Tensor Program::exact(const at::Tensor& hidden, const at::Tensor& rows) const {
  KvCache none(0, 0);
  const std::set<std::string, std::less<>> no_taps;
  Frame frame{std::vector<at::Tensor>(slots_), none, true, no_taps, {}, rows, {}};
  const LastLinear& linear = last_linear_.value();
  frame[linear.input] = hidden;
  for (size_t i = linear.index; i < instructions_.size(); ++i) instructions_[i]->run(frame);
  return frame[kept_.front()];
}

}  // namespace qspec
