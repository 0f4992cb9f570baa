#include <algorithm>

#include "engine/checkpoint/pickle_machine.h"
#include "engine/checkpoint/safetensors.h"

namespace qspec {
namespace {

constexpr std::string_view kUnsafeHint =
    "a checkpoint needs no such name: loading this file in Python could run code; nothing was run";

std::string dotted(std::string_view module, std::string_view name) {
  return std::string(module) + "." + std::string(name);
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.size() <= 20 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

void PickleMachine::push_name(std::string_view module, std::string_view name) {
  const PickleName* known = find_pickle_name(module, name);
  if (known == nullptr) {
    refuse("the file asks for '" + printable(dotted(module, name)) +
               "', which is no part of a dictionary of tensors",
           kUnsafeHint);
  }
  PickleValue value;
  value.kind = Kind::kName;
  value.begin = static_cast<uint32_t>(values_.names.size());
  values_.names.push_back(known);
  push(value);
}

const std::vector<uint32_t>& PickleMachine::tuple_of(uint32_t number, std::string_view what) const {
  if (value(number).kind == Kind::kTuple) return values_.members[value(number).begin];
  refuse(std::string(what) + " is " + described(number) + ", need a tuple");
}

void PickleMachine::require_count(const std::vector<uint32_t>& members, size_t wanted,
                                  std::string_view what) const {
  if (members.size() == wanted) return;
  refuse(std::string(what) + " has " + std::to_string(members.size()) + " parts, need " +
         std::to_string(wanted));
}

uint64_t PickleMachine::natural_of(uint32_t number, std::string_view what) const {
  const PickleValue& found = value(number);
  if (found.kind == Kind::kInteger && found.integer >= 0) {
    return static_cast<uint64_t>(found.integer);
  }
  refuse(std::string(what) + " is " + described(number) + ", need a whole number from 0 on");
}

std::vector<uint64_t> PickleMachine::naturals_of(uint32_t number, std::string_view what) const {
  const std::vector<uint32_t>& members = tuple_of(number, what);
  if (members.size() > kMaxRank) {
    refuse(std::string(what) + " has " + std::to_string(members.size()) +
           " dimensions, the limit is " + std::to_string(kMaxRank));
  }
  std::vector<uint64_t> naturals;
  for (const uint32_t member : members) naturals.push_back(natural_of(member, what));
  return naturals;
}

std::string_view PickleMachine::text_of(uint32_t number, std::string_view what) const {
  if (value(number).kind == Kind::kText) return values_.text_of(value(number));
  refuse(std::string(what) + " is " + described(number) + ", need a text");
}

const PickleName& PickleMachine::name_of(uint32_t number, PickleMeaning meaning,
                                         std::string_view what) const {
  const PickleValue& found = value(number);
  if (found.kind == Kind::kName && values_.names[found.begin]->meaning == meaning) {
    return *values_.names[found.begin];
  }
  refuse(std::string(what) + " is " + described(number));
}

// ("storage", class, key, location, elements), as torch.save describes a storage. The location is
// where the tensor was when it was saved: no matter here.
void PickleMachine::load_storage() {
  const std::vector<uint32_t>& parts = tuple_of(pop(), "a storage's description");
  require_count(parts, 5, "a storage's description");
  if (text_of(parts[0], "a storage's kind") != "storage") {
    refuse("a storage's kind is " + described(parts[0]) + ", need 'storage'");
  }
  const std::string_view key = text_of(parts[2], "a storage's key");
  if (!is_digits(key)) refuse("a storage's key is " + described(parts[2]) + ", need digits");
  text_of(parts[3], "a storage's location");
  PickleValue storage;
  storage.kind = Kind::kStorage;
  storage.begin = static_cast<uint32_t>(values_.storages.size());
  values_.storages.push_back({name_of(parts[1], PickleMeaning::kStorage, "a storage's class").dtype,
                              std::string(key), natural_of(parts[4], "a storage's size")});
  push(storage);
}

void PickleMachine::call() {
  const uint32_t arguments = pop();
  const uint32_t callee = pop();
  if (value(callee).kind != Kind::kName) {
    refuse("the file asks to call " + described(callee), kUnsafeHint);
  }
  call_of(*values_.names[value(callee).begin], arguments);
}

void PickleMachine::call_of(const PickleName& callee, uint32_t arguments) {
  const std::vector<uint32_t>& given = tuple_of(arguments, "the argument list of a call");
  switch (callee.meaning) {
    case PickleMeaning::kOrderedDict:
      require_count(given, 0, "the call of OrderedDict");
      return push_container(Kind::kOrderedDictionary, {});
    case PickleMeaning::kSize:
      require_count(given, 1, "the call of torch.Size");
      tuple_of(given[0], "the argument of torch.Size");
      return push_again(given[0]);
    case PickleMeaning::kRebuildTensor:
    case PickleMeaning::kRebuildTypedTensor:
      return rebuild_tensor(callee, given);
    case PickleMeaning::kRebuildParameter:
      return rebuild_parameter(given);
    case PickleMeaning::kStorage:
    case PickleMeaning::kDtype:
      break;
  }
  refuse("the file asks to call " + dotted(callee.module, callee.name), kUnsafeHint);
}

// (storage, offset, shape, strides, requires_grad, hooks [, dtype])
void PickleMachine::rebuild_tensor(const PickleName& callee,
                                   const std::vector<uint32_t>& arguments) {
  const bool is_typed = callee.meaning == PickleMeaning::kRebuildTypedTensor;
  require_count(arguments, is_typed ? 7 : 6, "the description of a tensor");
  if (value(arguments[0]).kind != Kind::kStorage) {
    refuse("a tensor's storage is " + described(arguments[0]));
  }
  if (value(arguments[4]).kind != Kind::kBoolean) {
    refuse("a tensor's requires_grad is " + described(arguments[4]) + ", need True or False");
  }
  PickleTensor tensor;
  tensor.storage = value(arguments[0]).begin;
  tensor.dtype = is_typed ? name_of(arguments[6], PickleMeaning::kDtype, "a tensor's dtype").dtype
                          : values_.storages[tensor.storage].dtype;
  tensor.offset = natural_of(arguments[1], "a tensor's offset");
  tensor.shape = naturals_of(arguments[2], "a tensor's shape");
  tensor.strides = naturals_of(arguments[3], "a tensor's strides");
  if (tensor.shape.size() != tensor.strides.size()) {
    refuse("a tensor has " + std::to_string(tensor.shape.size()) + " dimensions and " +
           std::to_string(tensor.strides.size()) + " strides");
  }
  PickleValue result;
  result.kind = Kind::kTensor;
  result.begin = static_cast<uint32_t>(values_.tensors.size());
  values_.tensors.push_back(std::move(tensor));
  push(result);
}

// (tensor, requires_grad, hooks): for a checkpoint, the tensor.
void PickleMachine::rebuild_parameter(const std::vector<uint32_t>& arguments) {
  require_count(arguments, 3, "the description of a parameter");
  if (value(arguments[0]).kind != Kind::kTensor) {
    refuse("a parameter's tensor is " + described(arguments[0]));
  }
  push_again(arguments[0]);
}

// A state dict carries the versions of its modules as an attribute: of no use here. Nothing else
// is given attributes.
void PickleMachine::build() {
  const uint32_t state = pop();
  const uint32_t target = top();
  if (value(target).kind != Kind::kOrderedDictionary) {
    refuse("the file sets attributes of " + described(target), kUnsafeHint);
  }
  if (value(state).kind != Kind::kDictionary) {
    refuse("the attributes of a dictionary are " + described(state) + ", need a dictionary");
  }
  const std::vector<uint32_t>& members = values_.members[value(state).begin];
  for (size_t i = 0; i < members.size(); i += 2) {
    const PickleValue& key = value(members[i]);
    if (key.kind == Kind::kText && values_.text_of(key) == "_metadata") continue;
    refuse("a dictionary is given the attribute " + described(members[i]) +
           ", need only '_metadata'");
  }
}

}  // namespace qspec
