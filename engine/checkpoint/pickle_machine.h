#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/checkpoint/pickle.h"
#include "engine/core/error.h"

namespace qspec {

// The stack, the marks and the memo that a pickle's opcodes work on. Opcodes are in
// pickle_opcodes.cc, what REDUCE, BINPERSID and BUILD mean in pickle_calls.cc.
class PickleMachine {
 public:
  using Kind = PickleValue::Kind;

  explicit PickleMachine(const PickleText& source);

  PickleValues run();

  // Of the opcode at hand.
  [[noreturn]] void refuse(std::string message, std::string_view hint = "",
                           ErrorKind kind = ErrorKind::kCheckpoint) const;

  std::string_view take(uint64_t bytes);
  std::string_view take_line();

  void push(PickleValue value);  // its place is set here
  void push_text(std::string_view taken);
  void push_again(uint32_t number);
  uint32_t pop();
  std::vector<uint32_t> pop_to_mark();
  void push_mark() { marks_.push_back(stack_.size()); }
  uint32_t top() const;
  void remember(uint64_t slot);
  void recall(uint64_t slot);

  void push_container(Kind kind, std::vector<uint32_t> members);
  void extend(uint32_t container, const std::vector<uint32_t>& members);
  void begin();
  void finish();

  // pickle_calls.cc
  void push_name(std::string_view module, std::string_view name);
  void call();
  void load_storage();
  void build();

  const PickleValue& value(uint32_t number) const { return values_.values[number]; }
  std::string described(uint32_t number) const { return qspec::described(values_, value(number)); }

 private:
  void count_value();
  uint32_t bottom() const;
  uint8_t depth_around(const std::vector<uint32_t>& members) const;

  void call_of(const PickleName& callee, uint32_t arguments);
  void rebuild_tensor(const PickleName& callee, const std::vector<uint32_t>& arguments);
  void rebuild_parameter(const std::vector<uint32_t>& arguments);
  void require_count(const std::vector<uint32_t>& members, size_t wanted,
                     std::string_view what) const;
  const std::vector<uint32_t>& tuple_of(uint32_t number, std::string_view what) const;
  uint64_t natural_of(uint32_t number, std::string_view what) const;
  std::vector<uint64_t> naturals_of(uint32_t number, std::string_view what) const;
  std::string_view text_of(uint32_t number, std::string_view what) const;
  const PickleName& name_of(uint32_t number, PickleMeaning meaning, std::string_view what) const;

  PickleText source_;
  PickleValues values_;
  std::vector<uint32_t> stack_;
  std::vector<size_t> marks_;  // sizes of the stack
  std::vector<std::optional<uint32_t>> memo_;
  size_t used_ = 0;      // bytes of the text
  uint32_t opcode_ = 0;  // where the one at hand begins
  size_t pushes_ = 0;
  bool is_finished_ = false;
};

}  // namespace qspec
