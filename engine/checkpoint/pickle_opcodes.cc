#include "engine/checkpoint/pickle_opcodes.h"

#include <array>
#include <cstdio>

#include "engine/core/error.h"
#include "engine/core/little_endian.h"
#include "engine/core/utf8.h"

namespace qspec {
namespace {

using Machine = PickleMachine;
using Kind = PickleValue::Kind;

uint64_t take_number(Machine& machine, size_t bytes) {
  return little_endian(machine.take(bytes));
}

void push_plain(Machine& machine, Kind kind, int64_t integer = 0) {
  PickleValue value;
  value.kind = kind;
  value.integer = integer;
  machine.push(value);
}

void push_integer(Machine& machine, int64_t integer) {
  push_plain(machine, Kind::kInteger, integer);
}

// Two's complement in as many bytes as it takes.
void long1(Machine& machine) {
  const uint64_t bytes = take_number(machine, 1);
  if (bytes > 8) {
    machine.refuse("a whole number of " + std::to_string(bytes) + " bytes, need at most 8");
  }
  const unsigned unused = static_cast<unsigned>(64 - 8 * bytes);
  const uint64_t magnitude = take_number(machine, bytes);
  push_integer(machine, bytes == 0 ? 0 : static_cast<int64_t>(magnitude << unused) >> unused);
}

void binunicode(Machine& machine) {
  const std::string_view text = machine.take(take_number(machine, 4));
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_sequence(text.substr(i));
    if (length == 0) machine.refuse("a text that is not UTF-8: '" + printable(text) + "'");
    i += length;
  }
  machine.push_text(text);
}

void global(Machine& machine) {
  const std::string_view module = machine.take_line();
  machine.push_name(module, machine.take_line());
}

void tuple_of_last(Machine& machine, size_t count) {
  std::vector<uint32_t> members(count);
  for (size_t i = count; i-- > 0;) members[i] = machine.pop();
  machine.push_container(Kind::kTuple, std::move(members));
}

void append(Machine& machine, const std::vector<uint32_t>& members) {
  const uint32_t target = machine.top();
  if (machine.value(target).kind != Kind::kList) {
    machine.refuse("the pickle appends to " + machine.described(target) + ", need a list");
  }
  machine.extend(target, members);
}

void set_items(Machine& machine, const std::vector<uint32_t>& members) {
  const uint32_t target = machine.top();
  const Kind kind = machine.value(target).kind;
  if (kind != Kind::kDictionary && kind != Kind::kOrderedDictionary) {
    machine.refuse("the pickle sets items of " + machine.described(target) + ", need a dictionary");
  }
  if (members.size() % 2 != 0) machine.refuse("the pickle sets a key without its value");
  for (size_t i = 0; i < members.size(); i += 2) {
    const Kind key = machine.value(members[i]).kind;
    if (key == Kind::kText || key == Kind::kInteger) continue;
    machine.refuse("a dictionary's key is " + machine.described(members[i]) + ", need a text");
  }
  machine.extend(target, members);
}

void set_item(Machine& machine) {
  const uint32_t value = machine.pop();
  const uint32_t key = machine.pop();
  set_items(machine, {key, value});
}

struct Opcode {
  char code;
  std::string_view name;
  void (*run)(Machine&);  // nullptr: refused by name
};

// Python's pickletools.py names them all; those that are missing are no opcodes.
constexpr Opcode kOpcodes[] = {
    {'(', "MARK", [](Machine& m) { m.push_mark(); }},
    {'.', "STOP", [](Machine& m) { m.finish(); }},
    {'N', "NONE", [](Machine& m) { push_plain(m, Kind::kNone); }},
    {'\x88', "NEWTRUE", [](Machine& m) { push_plain(m, Kind::kBoolean, 1); }},
    {'\x89', "NEWFALSE", [](Machine& m) { push_plain(m, Kind::kBoolean, 0); }},
    {'J', "BININT", [](Machine& m) { push_integer(m, static_cast<int32_t>(take_number(m, 4))); }},
    {'K', "BININT1", [](Machine& m) { push_integer(m, static_cast<int64_t>(take_number(m, 1))); }},
    {'M', "BININT2", [](Machine& m) { push_integer(m, static_cast<int64_t>(take_number(m, 2))); }},
    {'\x8A', "LONG1", long1},
    {'G', "BINFLOAT",
     [](Machine& m) {
       m.take(8);
       push_plain(m, Kind::kNumber);
     }},
    {'X', "BINUNICODE", binunicode},
    {')', "EMPTY_TUPLE", [](Machine& m) { m.push_container(Kind::kTuple, {}); }},
    {'t', "TUPLE", [](Machine& m) { m.push_container(Kind::kTuple, m.pop_to_mark()); }},
    {'\x85', "TUPLE1", [](Machine& m) { tuple_of_last(m, 1); }},
    {'\x86', "TUPLE2", [](Machine& m) { tuple_of_last(m, 2); }},
    {'\x87', "TUPLE3", [](Machine& m) { tuple_of_last(m, 3); }},
    {']', "EMPTY_LIST", [](Machine& m) { m.push_container(Kind::kList, {}); }},
    {'a', "APPEND",
     [](Machine& m) {
       const uint32_t value = m.pop();
       append(m, {value});
     }},
    {'e', "APPENDS",
     [](Machine& m) {
       const auto values = m.pop_to_mark();
       append(m, values);
     }},
    {'}', "EMPTY_DICT", [](Machine& m) { m.push_container(Kind::kDictionary, {}); }},
    {'s', "SETITEM", set_item},
    {'u', "SETITEMS",
     [](Machine& m) {
       const auto members = m.pop_to_mark();
       set_items(m, members);
     }},
    {'q', "BINPUT", [](Machine& m) { m.remember(take_number(m, 1)); }},
    {'r', "LONG_BINPUT", [](Machine& m) { m.remember(take_number(m, 4)); }},
    {'h', "BINGET", [](Machine& m) { m.recall(take_number(m, 1)); }},
    {'j', "LONG_BINGET", [](Machine& m) { m.recall(take_number(m, 4)); }},
    {'c', "GLOBAL", global},
    {'R', "REDUCE", [](Machine& m) { m.call(); }},
    {'Q', "BINPERSID", [](Machine& m) { m.load_storage(); }},
    {'b', "BUILD", [](Machine& m) { m.build(); }},

    {'i', "INST", nullptr},
    {'o', "OBJ", nullptr},
    {'\x81', "NEWOBJ", nullptr},
    {'\x92', "NEWOBJ_EX", nullptr},
    {'\x93', "STACK_GLOBAL", nullptr},
    {'\x82', "EXT1", nullptr},
    {'\x83', "EXT2", nullptr},
    {'\x84', "EXT4", nullptr},
    {'P', "PERSID", nullptr},
    {'\x80', "PROTO", nullptr},
    {'\x95', "FRAME", nullptr},
    {'\x94', "MEMOIZE", nullptr},
    {'0', "POP", nullptr},
    {'1', "POP_MARK", nullptr},
    {'2', "DUP", nullptr},
    {'F', "FLOAT", nullptr},
    {'I', "INT", nullptr},
    {'L', "LONG", nullptr},
    {'\x8B', "LONG4", nullptr},
    {'S', "STRING", nullptr},
    {'T', "BINSTRING", nullptr},
    {'U', "SHORT_BINSTRING", nullptr},
    {'V', "UNICODE", nullptr},
    {'\x8C', "SHORT_BINUNICODE", nullptr},
    {'\x8D', "BINUNICODE8", nullptr},
    {'B', "BINBYTES", nullptr},
    {'C', "SHORT_BINBYTES", nullptr},
    {'\x8E', "BINBYTES8", nullptr},
    {'\x96', "BYTEARRAY8", nullptr},
    {'\x97', "NEXT_BUFFER", nullptr},
    {'\x98', "READONLY_BUFFER", nullptr},
    {'d', "DICT", nullptr},
    {'l', "LIST", nullptr},
    {'g', "GET", nullptr},
    {'p', "PUT", nullptr},
    {'\x8F', "EMPTY_SET", nullptr},
    {'\x90', "ADDITEMS", nullptr},
    {'\x91', "FROZENSET", nullptr},
};

using OpcodeTable = std::array<const Opcode*, 256>;

constexpr OpcodeTable by_code() {
  OpcodeTable table{};
  for (const Opcode& row : kOpcodes) table[static_cast<unsigned char>(row.code)] = &row;
  return table;
}

constexpr OpcodeTable kByCode = by_code();

}  // namespace

void run_pickle_opcode(PickleMachine& machine, char code) {
  const Opcode* opcode = kByCode[static_cast<unsigned char>(code)];
  if (opcode == nullptr) {
    char shown[5];
    std::snprintf(shown, sizeof shown, "0x%02X", static_cast<unsigned char>(code));
    machine.refuse("byte " + std::string(shown) + " is no pickle opcode");
  }
  if (opcode->run == nullptr) {
    machine.refuse(
        "the pickle uses " + std::string(opcode->name) + ", which no dictionary of tensors needs",
        "torch.save writes nothing of the kind for one; nothing was run");
  }
  opcode->run(machine);
}

}  // namespace qspec
