#include "engine/checkpoint/pickle_machine.h"

#include <algorithm>

#include "engine/checkpoint/pickle_opcodes.h"
#include "engine/core/error.h"

namespace qspec {

PickleMachine::PickleMachine(const PickleText& source) : source_(source) {
  values_.text = source.text;
}

PickleValues PickleMachine::run() {
  if (source_.text.size() > kMaxPickleBytes) {
    refuse("the pickle has " + std::to_string(source_.text.size()) + " bytes, the limit is " +
           std::to_string(kMaxPickleBytes));
  }
  begin();
  while (!is_finished_) {
    opcode_ = static_cast<uint32_t>(used_);
    run_pickle_opcode(*this, take(1)[0]);
  }
  if (used_ != source_.text.size()) {
    refuse("the pickle goes on for " + std::to_string(source_.text.size() - used_) +
           " bytes after its end");
  }
  return std::move(values_);
}

void PickleMachine::refuse(std::string message, std::string_view hint, ErrorKind kind) const {
  throw Error(kind, std::move(message))
      .at(printable_path(source_.file), source_.offset + opcode_)
      .hint(std::string(hint));
}

std::string_view PickleMachine::take(uint64_t bytes) {
  const size_t left = source_.text.size() - used_;
  if (bytes > left) {
    refuse("the pickle ends too early: " + std::to_string(left) + " bytes are left, need " +
           std::to_string(bytes));
  }
  const std::string_view taken = source_.text.substr(used_, bytes);
  used_ += bytes;
  return taken;
}

std::string_view PickleMachine::take_line() {
  const size_t end = source_.text.find('\n', used_);
  if (end == std::string_view::npos) refuse("the pickle ends within a name");
  const std::string_view line = source_.text.substr(used_, end - used_);
  used_ = end + 1;
  return line;
}

// The oldest protocols have no PROTO, the newest have framing and more ways to make objects.
void PickleMachine::begin() {
  const std::string_view text = source_.text;
  const bool is_stated = text.size() >= 2 && text[0] == '\x80';
  const unsigned protocol = is_stated ? static_cast<unsigned char>(text[1]) : 0;
  used_ = 2;
  if (protocol == 2 || protocol == 3) return;
  refuse(is_stated ? "the pickle is of protocol " + std::to_string(protocol) + ", need 2 or 3"
                   : "the pickle states no protocol, need 2 or 3",
         "torch.save writes protocol 2 unless it is told otherwise", ErrorKind::kUnsupported);
}

void PickleMachine::finish() {
  if (!marks_.empty() || stack_.size() != 1) {
    refuse("the pickle ends with " + std::to_string(stack_.size()) + " values, need one");
  }
  values_.root = stack_.back();
  is_finished_ = true;
}

void PickleMachine::count_value() {
  if (++pushes_ <= kMaxPickleValues) return;
  refuse("the pickle has more than " + std::to_string(kMaxPickleValues) + " values");
}

void PickleMachine::push(PickleValue value) {
  count_value();
  value.place = opcode_;
  stack_.push_back(static_cast<uint32_t>(values_.values.size()));
  values_.values.push_back(value);
}

void PickleMachine::push_text(std::string_view taken) {
  PickleValue value;
  value.kind = Kind::kText;
  value.begin = static_cast<uint32_t>(taken.data() - source_.text.data());
  value.size = static_cast<uint32_t>(taken.size());
  push(value);
}

void PickleMachine::push_again(uint32_t number) {
  count_value();
  stack_.push_back(number);
}

// What lies below the last mark is out of reach.
uint32_t PickleMachine::top() const {
  const size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() == floor) refuse("the pickle takes a value from an empty stack");
  return stack_.back();
}

uint32_t PickleMachine::pop() {
  const uint32_t number = top();
  stack_.pop_back();
  return number;
}

std::vector<uint32_t> PickleMachine::pop_to_mark() {
  if (marks_.empty()) refuse("the pickle closes a mark that it never set");
  const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<uint32_t> members(first, stack_.end());
  stack_.erase(first, stack_.end());
  marks_.pop_back();
  return members;
}

void PickleMachine::remember(uint64_t slot) {
  if (slot >= kMaxPickleMemo) {
    refuse("memo slot " + std::to_string(slot) + ", the limit is " +
           std::to_string(kMaxPickleMemo));
  }
  if (slot >= memo_.size()) memo_.resize(slot + 1);
  memo_[slot] = top();
}

void PickleMachine::recall(uint64_t slot) {
  if (slot >= memo_.size() || !memo_[slot]) {
    refuse("memo slot " + std::to_string(slot) + " is read and was never set");
  }
  push_again(*memo_[slot]);
}

uint8_t PickleMachine::depth_around(const std::vector<uint32_t>& members) const {
  size_t deepest = 0;
  for (const uint32_t member : members) deepest = std::max<size_t>(deepest, value(member).depth);
  if (deepest == kMaxPickleDepth) {
    refuse("values are nested deeper than " + std::to_string(kMaxPickleDepth) + " levels");
  }
  return static_cast<uint8_t>(deepest + 1);
}

void PickleMachine::push_container(Kind kind, std::vector<uint32_t> members) {
  PickleValue container;
  container.kind = kind;
  container.depth = depth_around(members);
  container.begin = static_cast<uint32_t>(values_.members.size());
  values_.members.push_back(std::move(members));
  push(container);
}

void PickleMachine::extend(uint32_t container, const std::vector<uint32_t>& members) {
  if (std::find(members.begin(), members.end(), container) != members.end()) {
    refuse(described(container) + " is put into itself");
  }
  PickleValue& target = values_.values[container];
  target.depth = std::max(target.depth, depth_around(members));
  std::vector<uint32_t>& held = values_.members[target.begin];
  held.insert(held.end(), members.begin(), members.end());
}

PickleValues read_pickle(const PickleText& source) {
  return PickleMachine(source).run();
}

}  // namespace qspec
