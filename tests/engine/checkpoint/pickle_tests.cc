#include "engine/checkpoint/pickle.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/pickle_bytes.h"
#include "tests/support/refusal.h"

namespace qspec::test {
namespace {

using std::string_literals::operator""s;
using Kind = PickleValue::Kind;

PickleValues read(std::string_view text) {
  return read_pickle({text, "m.bin", 1000});
}

// The pickle of protocol 2 with these opcodes and a STOP.
Error refused(std::string_view opcodes) {
  const std::string text = std::string(kPickleBegin) + std::string(opcodes) + ".";
  return refusal([&] { read(text); });
}

std::string repeated(std::string_view text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

// The integer that these opcodes leave.
int64_t integer_of(const std::string& opcodes) {
  const std::string text = std::string(kPickleBegin) + opcodes + ".";
  const PickleValues values = read(text);
  BOOST_REQUIRE((values.values[values.root].kind == Kind::kInteger));
  return values.values[values.root].integer;
}

const std::string kStorage = pickled_storage("FloatStorage", "0", 4);
const std::string kRebuild = pickled_name("torch._utils", "_rebuild_tensor_v2");
const std::string kRebuildTyped = pickled_name("torch._utils", "_rebuild_tensor_v3");
const std::string kDict = pickled_name("collections", "OrderedDict");

}  // namespace

BOOST_AUTO_TEST_SUITE(pickle_tests)

BOOST_AUTO_TEST_CASE(reads_a_dictionary_of_a_tensor) {
  const std::string text =
      pickled_dictionary(pickled_text("w") + pickled_tensor(kStorage, 1, {1, 3}, {3, 1}));
  const PickleValues values = read(text);
  const PickleValue& root = values.values[values.root];
  BOOST_TEST(values.is_dictionary(root));
  const std::vector<uint32_t>& members = values.members[root.begin];
  BOOST_TEST(members.size() == 2u);
  BOOST_TEST(values.text_of(values.values[members[0]]) == "w");
  const PickleTensor& tensor = values.tensors[values.values[members[1]].begin];
  BOOST_TEST((tensor.dtype == Dtype::kF32));
  BOOST_TEST(tensor.offset == 1u);
  BOOST_TEST(tensor.shape == (std::vector<uint64_t>{1, 3}), boost::test_tools::per_element());
  BOOST_TEST(tensor.strides == (std::vector<uint64_t>{3, 1}), boost::test_tools::per_element());
  BOOST_TEST(values.storages[tensor.storage].key == "0");
  BOOST_TEST(values.storages[tensor.storage].elements == 4u);
}

BOOST_AUTO_TEST_CASE(reads_a_tensor_that_states_its_dtype) {
  const std::string text = std::string(kPickleBegin) + kRebuildTyped + "(" +
                           pickled_storage("UntypedStorage", "0", 4) + pickled_integer(0) +
                           pickled_tuple({4}) + pickled_tuple({1}) + "\x89" + kNoHooks +
                           pickled_name("torch", "float8_e4m3fn") + "tR.";
  const PickleValues values = read(text);
  BOOST_TEST((values.tensors.at(0).dtype == Dtype::kF8E4M3));
}

BOOST_AUTO_TEST_CASE(takes_a_parameter_for_its_tensor) {
  const std::string text = std::string(kPickleBegin) +
                           pickled_name("torch._utils", "_rebuild_parameter") + "(" +
                           pickled_tensor(kStorage, 0, {4}, {1}) + "\x88" + kNoHooks + "tR.";
  const PickleValues values = read(text);
  BOOST_TEST((values.values[values.root].kind == Kind::kTensor));
}

BOOST_AUTO_TEST_CASE(takes_a_size_for_its_tuple) {
  const std::string text =
      std::string(kPickleBegin) + pickled_name("torch", "Size") + "(" + pickled_tuple({2}) + "tR.";
  const PickleValues values = read(text);
  BOOST_TEST((values.values[values.root].kind == Kind::kTuple));
}

BOOST_AUTO_TEST_CASE(reads_whole_numbers_of_every_width_and_sign) {
  BOOST_TEST(integer_of("K\xFF") == 255);
  BOOST_TEST(integer_of("M\xFF\xFF") == 65535);
  BOOST_TEST(integer_of("J\xFF\xFF\xFF\xFF") == -1);
  BOOST_TEST(integer_of(std::string("\x8A\0", 2)) == 0);
  BOOST_TEST(integer_of("\x8A\x01\x80") == -128);
  BOOST_TEST(integer_of(std::string("\x8A\x02\x80\0", 4)) == 128);
  BOOST_TEST(integer_of("\x8A\x08" + little(uint64_t{1} << 62, 8)) == int64_t{1} << 62);
  BOOST_TEST(integer_of("\x8A\x08" + little(uint64_t{1} << 63, 8)) == INT64_MIN);
}

BOOST_AUTO_TEST_CASE(recalls_what_was_put_into_the_memo) {
  const std::string text =
      std::string(kPickleBegin) + "K\5q\3r" + little(900, 4) + "h\3j" + little(900, 4) + "\x87.";
  const PickleValues values = read(text);
  BOOST_TEST(values.members[values.values[values.root].begin].size() == 3u);
}

BOOST_AUTO_TEST_CASE(forgets_the_versions_that_a_state_dict_carries) {
  const std::string state = "}" + pickled_text("_metadata") + kDict + ")R" + "s";
  const std::string text = std::string(kPickleBegin) + kDict + ")R" + state + "b.";
  const PickleValues values = read(text);
  BOOST_TEST(values.members[values.values[values.root].begin].empty());
}

BOOST_AUTO_TEST_CASE(refuses_a_name_that_is_not_on_the_list) {
  const Error error = refused(pickled_name("os", "system") + pickled_text("true") + "\x85R");
  BOOST_TEST((error.kind() == ErrorKind::kCheckpoint));
  BOOST_TEST(error.message() ==
             "the file asks for 'os.system', which is no part of a dictionary of tensors");
  BOOST_TEST(error.where() == "m.bin, byte 1002");
  BOOST_TEST(has(error.hint(), "nothing was run"));
  for (const auto& [module, name] : {std::pair{"builtins", "eval"},
                                     {"builtins", "exec"},
                                     {"__builtin__", "getattr"},
                                     {"builtins", "__import__"},
                                     {"torch", "load"},
                                     {"torch.hub", "load"},
                                     {"torch.jit", "load"},
                                     {"torch.serialization", "load"},
                                     {"pip", "main"},
                                     {"idlelib.run", "Executive"},
                                     {"torch", "storage"},
                                     {"torch._utils", "_rebuild_tensor"},
                                     {"TORCH", "Size"},
                                     {"", ""},
                                     {"torch ", "Size"},
                                     {"collections", "OrderedDict.fromkeys"}}) {
    BOOST_TEST(has(refused(pickled_name(module, name)).message(),
                   "the file asks for '" + std::string(module) + "." + name + "'"));
  }
}

BOOST_AUTO_TEST_CASE(shows_a_hostile_name_escaped) {
  BOOST_TEST(has(refused(pickled_name("o\x1B[31m", "s")).message(), "'o\\x1B[31m.s'"));
}

BOOST_AUTO_TEST_CASE(refuses_opcodes_that_make_objects_and_those_of_other_protocols) {
  for (const auto& [code, name] : {std::pair{"i", "INST"},
                                   {"o", "OBJ"},
                                   {"\x81", "NEWOBJ"},
                                   {"\x92", "NEWOBJ_EX"},
                                   {"\x93", "STACK_GLOBAL"},
                                   {"\x82", "EXT1"},
                                   {"\x83", "EXT2"},
                                   {"\x84", "EXT4"},
                                   {"P", "PERSID"},
                                   {"\x8D", "BINUNICODE8"},
                                   {"\x8E", "BINBYTES8"},
                                   {"0", "POP"},
                                   {"2", "DUP"},
                                   {"\x95", "FRAME"},
                                   {"\x80", "PROTO"},
                                   {"\x94", "MEMOIZE"},
                                   {"U", "SHORT_BINSTRING"}}) {
    BOOST_TEST(has(refused(code).message(), "the pickle uses " + std::string(name) + ","));
  }
}

BOOST_AUTO_TEST_CASE(refuses_a_byte_that_is_no_opcode) {
  const Error error = refused("\xFF");
  BOOST_TEST(error.message() == "byte 0xFF is no pickle opcode");
  BOOST_TEST(error.where() == "m.bin, byte 1002");
}

BOOST_AUTO_TEST_CASE(refuses_other_protocols) {
  for (const char* text : {"\x80\x04}.", "\x80\x05}.", "\x80\x09}.", "\x80\x01}."}) {
    const Error error = refusal([&] { read(text); });
    BOOST_TEST((error.kind() == ErrorKind::kUnsupported));
    BOOST_TEST(has(error.message(), "need 2 or 3"));
  }
  BOOST_TEST(refusal([] { read("(dp0\n."); }).message() ==
             "the pickle states no protocol, need 2 or 3");
  BOOST_TEST(has(refusal([] { read(""); }).message(), "states no protocol"));
}

BOOST_AUTO_TEST_CASE(refuses_a_pickle_that_ends_too_early) {
  BOOST_TEST(has(refusal([] { read("\x80\x02}"); }).message(), "the pickle ends too early"));
  BOOST_TEST(has(refusal([] { read("\x80\x02J\1"); }).message(), "1 bytes are left, need 4"));
  BOOST_TEST(refusal([] {
               read(
                   "\x80\x02"
                   "ctorch\nSize");
             }).message() == "the pickle ends within a name");
}

BOOST_AUTO_TEST_CASE(refuses_bytes_after_the_end) {
  BOOST_TEST(refusal([] { read("\x80\x02}.x"); }).message() ==
             "the pickle goes on for 1 bytes after its end");
}

BOOST_AUTO_TEST_CASE(refuses_a_text_longer_than_the_pickle) {
  const Error error = refused("X\xFF\xFF\xFF\x7F");
  BOOST_TEST(error.message() == "the pickle ends too early: 1 bytes are left, need 2147483647");
}

BOOST_AUTO_TEST_CASE(refuses_a_text_that_is_not_utf8) {
  BOOST_TEST(has(refused(pickled_text("a\xFF")).message(), "not UTF-8: 'a\\xFF'"));
}

BOOST_AUTO_TEST_CASE(refuses_a_whole_number_over_64_bits) {
  BOOST_TEST(refused("\x8A\x09" + std::string(9, 'x')).message() ==
             "a whole number of 9 bytes, need at most 8");
}

BOOST_AUTO_TEST_CASE(refuses_to_take_from_an_empty_stack) {
  for (const char* opcodes : {"\x85", "\x86", "R", "b", "s", "a", "q\1", "N\x87"}) {
    BOOST_TEST(refused(opcodes).message() == "the pickle takes a value from an empty stack");
  }
  BOOST_TEST(has(refused("").message(), "ends with 0 values"));
}

BOOST_AUTO_TEST_CASE(refuses_to_reach_below_a_mark) {
  BOOST_TEST(has(refused("N(\x85").message(), "an empty stack"));
  BOOST_TEST(has(refused("(").message(), "ends with 0 values"));
  BOOST_TEST(has(refused("N(").message(), "ends with 1 values"));
}

BOOST_AUTO_TEST_CASE(refuses_to_close_a_mark_that_is_not_open) {
  for (const char* opcodes : {"t", "]e", "}u"}) {
    BOOST_TEST(refused(opcodes).message() == "the pickle closes a mark that it never set");
  }
}

BOOST_AUTO_TEST_CASE(refuses_more_than_one_value_at_the_end) {
  BOOST_TEST(refused("NN").message() == "the pickle ends with 2 values, need one");
}

BOOST_AUTO_TEST_CASE(refuses_a_memo_slot_that_was_never_set) {
  BOOST_TEST(refused("h\5").message() == "memo slot 5 is read and was never set");
  BOOST_TEST(refused("Nq\7h\5\x86").message() == "memo slot 5 is read and was never set");
}

BOOST_AUTO_TEST_CASE(refuses_a_memo_slot_far_away) {
  BOOST_TEST(refused("Nr\xFF\xFF\xFF\xFF").message() ==
             "memo slot 4294967295, the limit is 1000000");
}

BOOST_AUTO_TEST_CASE(refuses_items_of_what_is_no_dictionary) {
  BOOST_TEST(refused("]" + pickled_text("k") + "Ns").message() ==
             "the pickle sets items of a list, need a dictionary");
  BOOST_TEST(has(refused(pickled_tensor(kStorage, 0, {4}, {1}) + "K\1K\2s").message(),
                 "sets items of a tensor"));
  BOOST_TEST(has(refused(kStorage + "(K\1K\2u").message(), "sets items of a storage"));
}

BOOST_AUTO_TEST_CASE(refuses_a_key_without_its_value) {
  BOOST_TEST(refused("}(K\1u").message() == "the pickle sets a key without its value");
}

BOOST_AUTO_TEST_CASE(refuses_keys_that_are_no_texts) {
  BOOST_TEST(refused("}N"
                     "Ns")
                 .message() == "a dictionary's key is None, need a text");
  BOOST_TEST(has(refused("})Ns").message(), "a dictionary's key is a tuple"));
}

BOOST_AUTO_TEST_CASE(refuses_to_append_to_what_is_no_list) {
  BOOST_TEST(refused(")Na").message() == "the pickle appends to a tuple, need a list");
  BOOST_TEST(has(refused("}(Ne").message(), "appends to a dictionary"));
}

BOOST_AUTO_TEST_CASE(refuses_a_list_that_holds_itself) {
  BOOST_TEST(refused("]q\1h\1a").message() == "a list is put into itself");
  BOOST_TEST(refused("}q\1K\1h\1s").message() == "a dictionary is put into itself");
}

BOOST_AUTO_TEST_CASE(refuses_values_that_are_nested_too_deep) {
  BOOST_TEST(read(std::string(kPickleBegin) + ")" + repeated("\x85", 63) + ".").values.size() ==
             64u);
  const Error error = refused(")" + repeated("\x85", 100'000));
  BOOST_TEST(error.message() == "values are nested deeper than 64 levels");
  BOOST_TEST(has(refused(")q\1" + repeated("h\1\x85q\1", 100)).message(), "nested deeper"));
}

BOOST_AUTO_TEST_CASE(refuses_more_values_than_the_limit) {
  const Error error = refused("(" + std::string(kMaxPickleValues + 1, 'N') + "t");
  BOOST_TEST(error.message() == "the pickle has more than 5000000 values");
}

BOOST_AUTO_TEST_CASE(refuses_a_pickle_over_the_limit) {
  const std::string text(kMaxPickleBytes + 1, 'N');
  BOOST_TEST(refusal([&] { read(text); }).message() ==
             "the pickle has 67108865 bytes, the limit is 67108864");
}

BOOST_AUTO_TEST_CASE(refuses_to_call_what_is_no_function_of_the_list) {
  BOOST_TEST(refused("N)R").message() == "the file asks to call None");
  BOOST_TEST(has(refused(pickled_name("torch", "float16") + ")R").message(),
                 "asks to call torch.float16"));
  BOOST_TEST(has(refused(pickled_name("torch", "FloatStorage") + ")R").message(),
                 "asks to call torch.FloatStorage"));
}

BOOST_AUTO_TEST_CASE(refuses_other_arguments) {
  BOOST_TEST(refused(kDict + "NR").message() ==
             "the argument list of a call is None, need a tuple");
  BOOST_TEST(refused(kDict + "N\x85R").message() == "the call of OrderedDict has 1 parts, need 0");
  BOOST_TEST(has(refused(pickled_name("torch", "Size") + "N\x85R").message(),
                 "the argument of torch.Size is None"));
  BOOST_TEST(
      has(refused(kRebuild + ")R").message(), "the description of a tensor has 0 parts, need 6"));
  BOOST_TEST(has(refused(kRebuildTyped + ")R").message(), "need 7"));
  BOOST_TEST(
      has(refused(pickled_name("torch._utils", "_rebuild_parameter") + "N\x88N\x87R").message(),
          "a parameter's tensor is None"));
}

BOOST_AUTO_TEST_CASE(refuses_parts_of_a_tensor_that_are_of_another_kind) {
  const auto tensor = [](const std::string& storage, const std::string& offset,
                         const std::string& shape, const std::string& strides,
                         const std::string& gradient) {
    return refused(kRebuild + "(" + storage + offset + shape + strides + gradient + kNoHooks + "tR")
        .message();
  };
  const std::string zero = pickled_integer(0);
  const std::string four = pickled_tuple({4});
  const std::string one = pickled_tuple({1});
  BOOST_TEST(tensor("N", zero, four, one, "\x89") == "a tensor's storage is None");
  BOOST_TEST(tensor(kStorage, pickled_integer(UINT32_MAX), four, one, "\x89") ==
             "a tensor's offset is the whole number -1, need a whole number from 0 on");
  BOOST_TEST(has(tensor(kStorage, "\x88", four, one, "\x89"), "a tensor's offset is True"));
  BOOST_TEST(has(tensor(kStorage, zero, "]", one, "\x89"), "a tensor's shape is a list"));
  BOOST_TEST(has(tensor(kStorage, zero, "G12345678\x85", one, "\x89"),
                 "a tensor's shape is a number with a fraction"));
  BOOST_TEST(has(tensor(kStorage, zero, four, pickled_tuple({UINT32_MAX}), "\x89"),
                 "a tensor's strides is the whole number -1"));
  BOOST_TEST(tensor(kStorage, zero, four, pickled_tuple({1, 1}), "\x89") ==
             "a tensor has 1 dimensions and 2 strides");
  BOOST_TEST(has(tensor(kStorage, zero, four, one, "N"), "requires_grad is None"));
  BOOST_TEST(has(tensor(kStorage, zero, pickled_tuple(std::vector<uint64_t>(33, 1)), one, "\x89"),
                 "has 33 dimensions, the limit is 32"));
}

BOOST_AUTO_TEST_CASE(refuses_a_dtype_of_another_kind) {
  BOOST_TEST(has(refused(kRebuildTyped + "(" + kStorage + "K\0"s + pickled_tuple({4}) +
                         pickled_tuple({1}) + "\x89" + kNoHooks + kDict + "tR")
                     .message(),
                 "a tensor's dtype is collections.OrderedDict"));
}

BOOST_AUTO_TEST_CASE(refuses_storages_of_another_form) {
  const auto storage = [](const std::string& kind, const std::string& type, const std::string& key,
                          const std::string& location, const std::string& size) {
    return refused("(" + kind + type + key + location + size + "tQ").message();
  };
  const std::string kind = pickled_text("storage");
  const std::string type = pickled_name("torch", "FloatStorage");
  const std::string key = pickled_text("0");
  const std::string size = pickled_integer(4);
  BOOST_TEST(has(refused("NQ").message(), "a storage's description is None"));
  BOOST_TEST(has(refused(")Q").message(), "has 0 parts, need 5"));
  BOOST_TEST(has(storage(pickled_text("module"), type, key, "N", size), "need 'storage'"));
  BOOST_TEST(
      has(storage(kind, kDict, key, key, size), "a storage's class is collections.OrderedDict"));
  BOOST_TEST(has(storage(kind, "N", key, key, size), "a storage's class is None"));
  for (const char* bad : {"", "../../x", "0x1", "-1", "999999999999999999999"}) {
    BOOST_TEST(has(storage(kind, type, pickled_text(bad), key, size), "need digits"), bad);
  }
  BOOST_TEST(has(storage(kind, type, key, "N", size), "a storage's location is None"));
  BOOST_TEST(has(storage(kind, type, key, key, pickled_integer(UINT32_MAX)),
                 "a storage's size is the whole number -1"));
}

BOOST_AUTO_TEST_CASE(refuses_attributes_of_anything_but_a_state_dict) {
  BOOST_TEST(has(refused("]}b").message(), "the file sets attributes of a list"));
  BOOST_TEST(has(refused("}}b").message(), "sets attributes of a dictionary"));
  BOOST_TEST(has(refused(kNoHooks + "Nb").message(), "the attributes of a dictionary are None"));
  BOOST_TEST(refused(kNoHooks + "}" + pickled_text("__class__") + "Nsb").message() ==
             "a dictionary is given the attribute the text '__class__', need only '_metadata'");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
