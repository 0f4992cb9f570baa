#include "engine/checkpoint/safetensors.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/memory_bytes.h"
#include "tests/support/refusal.h"
#include "tests/support/safetensors_bytes.h"

namespace qspec::test {
namespace {

FileHeader read(const std::string& file) {
  return read_safetensors_header(MemoryBytes(file));
}

Error refused(const std::string& file) {
  return refusal([&] { read(file); });
}

// The header's members in one object, with `bytes` bytes of data behind it.
Error refused(std::string_view members, size_t bytes) {
  return refused(file_of(members, bytes));
}

std::string nested(std::string_view opening, size_t depth) {
  std::string text;
  for (size_t i = 0; i < depth; ++i) text += opening;
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(safetensors_tests)

BOOST_AUTO_TEST_CASE(reads_names_dtypes_shapes_and_places) {
  const FileHeader header = read(file_of(entry("a", "F16", "[2,3]", 0, 12), 12));
  BOOST_TEST(header.tensors.size() == 1u);
  const TensorEntry& a = header.tensors.at(0);
  BOOST_TEST(a.name == "a");
  BOOST_TEST((a.dtype == Dtype::kF16));
  BOOST_TEST(a.shape == (std::vector<uint64_t>{2, 3}), boost::test_tools::per_element());
  BOOST_TEST(a.bytes == 12u);
  BOOST_TEST(a.offset == header.bytes);
}

BOOST_AUTO_TEST_CASE(sorts_tensors_by_offset_whatever_their_order_in_the_header) {
  const auto header = read(
      file_of(entry("late", "U8", "[4]", 8, 12) + "," + entry("early", "U8", "[8]", 0, 8), 12));
  BOOST_TEST(header.tensors.at(0).name == "early");
  BOOST_TEST(header.tensors.at(1).name == "late");
}

BOOST_AUTO_TEST_CASE(accepts_offsets_that_are_not_aligned_to_the_dtype) {
  const auto header =
      read(file_of(entry("a", "U8", "[1]", 0, 1) + "," + entry("b", "F32", "[1]", 1, 5), 5));
  BOOST_TEST(header.tensors.at(1).offset == header.bytes + 1);
}

BOOST_AUTO_TEST_CASE(accepts_a_scalar) {
  BOOST_TEST(read(file_of(entry("a", "F32", "[]", 0, 4), 4)).tensors.at(0).bytes == 4u);
}

BOOST_AUTO_TEST_CASE(accepts_a_tensor_without_elements) {
  const auto header =
      read(file_of(entry("a", "F32", "[0]", 4, 4) + "," + entry("b", "F32", "[1]", 0, 4), 4));
  BOOST_TEST(header.tensors.at(1).name == "a");
  BOOST_TEST(header.tensors.at(1).bytes == 0u);
}

BOOST_AUTO_TEST_CASE(accepts_packed_types_that_fill_whole_bytes) {
  BOOST_TEST(read(file_of(entry("a", "F6_E2M3", "[4]", 0, 3), 3)).tensors.at(0).bytes == 3u);
  BOOST_TEST(read(file_of(entry("a", "F4", "[4]", 0, 2), 2)).tensors.at(0).bytes == 2u);
}

BOOST_AUTO_TEST_CASE(accepts_every_dtype_of_the_format) {
  for (const char* name : {"F8_E8M0", "C64", "BOOL", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "U64", "BF16"}) {
    const auto bytes = info(*dtype_of_stored_name(name)).block_bytes;
    BOOST_TEST(read(file_of(entry("a", name, "[1]", 0, bytes), bytes)).tensors.size() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(accepts_padding_with_white_space) {
  BOOST_TEST(read(safetensors("{}      ")).bytes == 16u);
  BOOST_TEST(read(safetensors("{}\t\n\r ")).bytes == 14u);
}

BOOST_AUTO_TEST_CASE(keeps_metadata) {
  const auto header = read(safetensors(R"({"__metadata__":{"format":"pt","note":"a\nb"}})"));
  BOOST_TEST(header.metadata.at("format") == "pt");
  BOOST_TEST(header.metadata.at("note") == "a\nb");
  BOOST_TEST(header.tensors.empty());
}

BOOST_AUTO_TEST_CASE(accepts_control_characters_in_a_name_and_shows_them_escaped) {
  const std::string name = R"(a\n\u001b[31m)";
  BOOST_TEST(read(file_of(entry(name, "U8", "[1]", 0, 1), 1)).tensors.at(0).name == "a\n\x1B[31m");
  const Error error = refused(entry(name, "U8", "[2]", 0, 1), 1);
  BOOST_TEST(has(error.message(), R"('a\x0A\x1B[31m')"));
}

BOOST_AUTO_TEST_CASE(refuses_an_empty_file) {
  const Error error = refused("");
  BOOST_TEST((error.kind() == ErrorKind::kCheckpoint));
  BOOST_TEST(error.message() == "file has 0 bytes, need at least 8");
  BOOST_TEST(error.where() == "model.safetensors, byte 0");
}

BOOST_AUTO_TEST_CASE(refuses_a_file_cut_within_the_length_field) {
  BOOST_TEST(refused("\2\0\0\0\0\0\0").message() == "file has 1 bytes, need at least 8");
  BOOST_TEST(refused(std::string(7, '\0')).message() == "file has 7 bytes, need at least 8");
}

BOOST_AUTO_TEST_CASE(refuses_an_empty_header) {
  const Error error = refused(length_field(0));
  BOOST_TEST(error.message() == "header is empty, need a JSON object");
  BOOST_TEST(error.where() == "model.safetensors, byte 0");
}

BOOST_AUTO_TEST_CASE(refuses_a_header_that_stops_after_its_first_brace) {
  const Error error = refused(safetensors("{"));
  BOOST_TEST(has(error.message(), "not JSON (line 1, column 2)"));
  BOOST_TEST(error.where() == "model.safetensors, byte 9");
  BOOST_TEST(has(error.hint(), "ends too early"));
}

BOOST_AUTO_TEST_CASE(refuses_a_length_of_all_ones) {
  const Error error = refused(length_field(UINT64_MAX));
  BOOST_TEST(
      has(error.message(), "header length is 18446744073709551615 bytes, the limit is 100000000"));
}

BOOST_AUTO_TEST_CASE(refuses_a_length_that_would_be_negative_if_signed) {
  BOOST_TEST(has(refused(length_field(uint64_t{1} << 63)).message(), "the limit is 100000000"));
}

BOOST_AUTO_TEST_CASE(refuses_a_header_one_byte_over_the_limit_though_the_file_is_that_long) {
  const Error error =
      refused(length_field(kMaxHeaderBytes + 1) + std::string(kMaxHeaderBytes + 1, ' '));
  BOOST_TEST(has(error.message(), "header length is 100000001 bytes"));
}

BOOST_AUTO_TEST_CASE(accepts_a_header_of_exactly_the_limit) {
  const auto header = read(safetensors("{" + std::string(kMaxHeaderBytes - 2, ' ') + "}"));
  BOOST_TEST(header.bytes == 8 + kMaxHeaderBytes);
}

BOOST_AUTO_TEST_CASE(refuses_a_header_that_ends_one_byte_past_the_file) {
  const Error error = refused(length_field(3) + "{}");
  BOOST_TEST(error.message() == "header ends at byte 11, the file has 10");
  BOOST_TEST(has(error.hint(), "cut off"));
}

BOOST_AUTO_TEST_CASE(refuses_a_length_far_past_the_file) {
  const Error error = refused(length_field(1000) + std::string(112, ' '));
  BOOST_TEST(error.message() == "header ends at byte 1008, the file has 120");
}

BOOST_AUTO_TEST_CASE(suspects_the_byte_order_when_the_length_fits_the_other_way) {
  std::string file = safetensors("{}      ");
  std::reverse(file.begin(), file.begin() + 8);
  const Error error = refused(file);
  BOOST_TEST(has(error.message(), "the limit is 100000000"));
  BOOST_TEST(has(error.hint(), "little-endian"));
}

BOOST_AUTO_TEST_CASE(refuses_white_space_before_the_header) {
  const Error error = refused(safetensors(" {}"));
  BOOST_TEST(error.message() == "header begins with ' ', need '{'");
  BOOST_TEST(error.where() == "model.safetensors, byte 8");
}

BOOST_AUTO_TEST_CASE(refuses_a_list_for_a_header) {
  BOOST_TEST(refused(safetensors("[]")).message() == "header begins with '[', need '{'");
}

BOOST_AUTO_TEST_CASE(refuses_a_byte_order_mark) {
  BOOST_TEST(refused(safetensors("\xEF\xBB\xBF{}")).message() ==
             "header begins with '\\xEF', need '{'");
}

BOOST_AUTO_TEST_CASE(refuses_padding_with_nul) {
  const Error error = refused(safetensors(std::string("{}\0\0", 4)));
  BOOST_TEST(error.message() == "text holds a NUL byte");
  BOOST_TEST(error.where() == "model.safetensors, byte 10");
}

BOOST_AUTO_TEST_CASE(refuses_two_objects_in_one_header) {
  const Error error = refused(safetensors("{}{}"));
  BOOST_TEST(has(error.message(), "unexpected '{'; expected end of input"));
  BOOST_TEST(error.where() == "model.safetensors, byte 10");
}

BOOST_AUTO_TEST_CASE(refuses_a_name_that_is_not_utf8) {
  const Error error = refused("\"\xFF\xFE\":{}", 0);
  BOOST_TEST(has(error.message(), "ill-formed UTF-8 byte"));
  BOOST_TEST(error.where() == "model.safetensors, byte 10");
}

BOOST_AUTO_TEST_CASE(refuses_an_overlong_sequence_in_a_name) {
  const Error error = refused("\"\xC0\x80\":{}", 0);
  BOOST_TEST(has(error.message(), "ill-formed UTF-8 byte"));
  BOOST_TEST(error.where() == "model.safetensors, byte 10");
}

BOOST_AUTO_TEST_CASE(refuses_a_lone_surrogate_in_a_name) {
  BOOST_TEST(has(refused(R"("\ud800":{})", 0).message(), "surrogate"));
}

BOOST_AUTO_TEST_CASE(refuses_a_nul_within_a_name) {
  const Error error = refused(R"("a\u0000b":{})", 0);
  BOOST_TEST(error.message() == R"(tensor 'a\x00b' has a NUL in its name)");
  BOOST_TEST(error.where() == "model.safetensors, byte 9");
}

BOOST_AUTO_TEST_CASE(refuses_an_empty_name) {
  const Error error = refused(entry("", "U8", "[1]", 0, 1), 1);
  BOOST_TEST(error.message() == "a tensor has an empty name");
  BOOST_TEST(error.where() == "model.safetensors, byte 9");
}

BOOST_AUTO_TEST_CASE(refuses_a_name_of_more_than_4096_bytes) {
  const std::string longest(kMaxNameBytes, 'n');
  BOOST_TEST(read(file_of(entry(longest, "U8", "[1]", 0, 1), 1)).tensors.size() == 1u);
  const Error error = refused(entry(longest + "n", "U8", "[1]", 0, 1), 1);
  BOOST_TEST(has(error.message(), "has a name of 4097 bytes, the limit is 4096"));
}

BOOST_AUTO_TEST_CASE(refuses_a_name_that_occurs_twice) {
  const std::string one = entry("a", "U8", "[1]", 0, 1);
  const Error error = refused(one + "," + one, 1);
  BOOST_TEST(error.message() == "key 'a' occurs twice in one object, first at byte 9");
  BOOST_TEST(error.where() == "model.safetensors, byte " + std::to_string(9 + one.size() + 1));
}

BOOST_AUTO_TEST_CASE(sees_through_escapes_when_a_name_occurs_twice) {
  const Error error =
      refused(entry("a", "U8", "[1]", 0, 1) + "," + entry(R"(\u0061)", "U8", "[1]", 0, 1), 1);
  BOOST_TEST(has(error.message(), "key 'a' occurs twice"));
}

BOOST_AUTO_TEST_CASE(refuses_a_field_that_occurs_twice) {
  const Error error =
      refused(R"("a":{"dtype":"U8","dtype":"U8","shape":[],"data_offsets":[0,1]})", 1);
  BOOST_TEST(error.message() == "key 'dtype' occurs twice in one object, first at byte 14");
}

BOOST_AUTO_TEST_CASE(refuses_metadata_that_occurs_twice) {
  const Error error = refused(R"("__metadata__":{},"__metadata__":{})", 0);
  BOOST_TEST(has(error.message(), "key '__metadata__' occurs twice"));
}

BOOST_AUTO_TEST_CASE(refuses_a_metadata_value_that_is_a_number) {
  const Error error = refused(R"("__metadata__":{"k":1})", 0);
  BOOST_TEST(error.message() == "the value of 'k' in __metadata__ is the number 1, need a string");
  BOOST_TEST(error.where() == "model.safetensors, byte 29");
}

BOOST_AUTO_TEST_CASE(refuses_metadata_that_is_nested) {
  const Error error = refused(R"("__metadata__":{"k":)" + nested(R"({"k":)", 1'000'000), 0);
  BOOST_TEST(error.message() == "the value of 'k' in __metadata__ is an object, need a string");
}

BOOST_AUTO_TEST_CASE(refuses_metadata_that_is_a_list) {
  const Error error = refused(R"("__metadata__":[])", 0);
  BOOST_TEST(error.message() == "__metadata__ is a list, need an object");
}

BOOST_AUTO_TEST_CASE(refuses_more_metadata_keys_than_the_limit) {
  std::string members;
  for (size_t i = 0; i <= kMaxMetadataKeys; ++i) {
    members += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":\"\"";
  }
  const Error error = refused("\"__metadata__\":{" + members + "}", 0);
  BOOST_TEST(error.message() == "__metadata__ has more than 65536 keys");
}

BOOST_AUTO_TEST_CASE(refuses_more_tensors_than_the_limit) {
  std::string members;
  for (size_t i = 0; i <= kMaxTensors; ++i) {
    members += (i == 0 ? "" : ",") + entry(std::to_string(i), "U8", "[0]", 0, 0);
  }
  BOOST_TEST(refused(members, 0).message() == "more than 1000000 tensors in one file");
}

BOOST_AUTO_TEST_CASE(refuses_a_tensor_that_is_a_list_however_deep_it_goes_on) {
  const Error error = refused("\"a\":" + nested("[", 50'000'000), 0);
  BOOST_TEST(error.message() == "tensor 'a' is a list, need an object");
  BOOST_TEST(error.where() == "model.safetensors, byte 13");
}

BOOST_AUTO_TEST_CASE(refuses_an_unknown_field) {
  const Error error =
      refused(R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"strides":[1]})", 1);
  BOOST_TEST(error.message() ==
             "tensor 'a' has the unknown field 'strides', need only dtype, shape and data_offsets");
  BOOST_TEST(error.where() == "model.safetensors, byte 60");
}

BOOST_AUTO_TEST_CASE(refuses_an_entry_without_shape) {
  const Error error = refused(R"("a":{"dtype":"U8","data_offsets":[0,1]})", 1);
  BOOST_TEST(error.message() == "tensor 'a' has no shape");
}

BOOST_AUTO_TEST_CASE(refuses_an_entry_without_dtype) {
  const Error error = refused(R"("a":{"shape":[1],"data_offsets":[0,1]})", 1);
  BOOST_TEST(error.message() == "tensor 'a' has no dtype");
}

BOOST_AUTO_TEST_CASE(refuses_an_entry_without_offsets) {
  const Error error = refused(R"("a":{"dtype":"U8","shape":[1]})", 1);
  BOOST_TEST(error.message() == "tensor 'a' has no data_offsets");
}

BOOST_AUTO_TEST_CASE(does_not_take_fields_over_from_the_entry_before) {
  const Error error = refused(entry("a", "U8", "[1]", 0, 1) + R"(,"b":{})", 1);
  BOOST_TEST(error.message() == "tensor 'b' has no dtype");
}

BOOST_AUTO_TEST_CASE(refuses_an_unknown_dtype_and_lists_the_known) {
  const Error error = refused(entry("a", "Q4_K", "[1]", 0, 1), 1);
  BOOST_TEST((error.kind() == ErrorKind::kUnsupported));
  BOOST_TEST(has(error.message(), "tensor 'a' has the unknown dtype 'Q4_K', need one of BOOL, F4"));
  BOOST_TEST(error.hint() == "");
}

BOOST_AUTO_TEST_CASE(suggests_the_nearest_dtype) {
  BOOST_TEST(refused(entry("a", "f32", "[1]", 0, 4), 4).hint() == "did you mean F32?");
  BOOST_TEST(refused(entry("a", "F8_E4M3FN", "[1]", 0, 1), 1).hint() == "did you mean F8_E4M3?");
}

BOOST_AUTO_TEST_CASE(refuses_a_dtype_that_is_a_number) {
  const Error error = refused(R"("a":{"dtype":32})", 0);
  BOOST_TEST(error.message() == "dtype of tensor 'a' is the number 32, need a string");
}

BOOST_AUTO_TEST_CASE(refuses_a_dtype_that_is_a_list) {
  const Error error = refused(R"("a":{"dtype":["U8"]})", 0);
  BOOST_TEST(error.message() == "dtype of tensor 'a' is a list, need a string");
}

BOOST_AUTO_TEST_CASE(refuses_a_shape_that_is_a_string) {
  const Error error = refused(R"("a":{"shape":"[1]"})", 0);
  BOOST_TEST(error.message() ==
             "shape of tensor 'a' is the string '[1]', need a list of whole numbers");
}

BOOST_AUTO_TEST_CASE(refuses_null_and_booleans) {
  BOOST_TEST(refused(R"("a":null)", 0).message() == "tensor 'a' is null, need an object");
  BOOST_TEST(refused(R"("a":{"data_offsets":true})", 0).message() ==
             "data_offsets of tensor 'a' is true, need a list of whole numbers");
  BOOST_TEST(refused(R"("a":{"shape":[false]})", 0).message() ==
             "a dimension of tensor 'a' is false, need a whole number from 0 to 2^64-1");
}

BOOST_AUTO_TEST_CASE(refuses_a_list_within_a_shape) {
  BOOST_TEST(
      has(refused(R"("a":{"shape":[[1]]})", 0).message(), "a dimension of tensor 'a' is a list"));
}

BOOST_AUTO_TEST_CASE(refuses_a_negative_dimension) {
  const Error error = refused(entry("a", "U8", "[2,-1]", 0, 1), 1);
  BOOST_TEST(error.message() ==
             "a dimension of tensor 'a' is -1, need a whole number from 0 to 2^64-1");
  BOOST_TEST(error.where() == "model.safetensors, byte 38");
}

BOOST_AUTO_TEST_CASE(refuses_minus_zero_for_a_dimension) {
  BOOST_TEST(has(refused(entry("a", "U8", "[-0]", 0, 0), 0).message(), "is -0, need"));
}

BOOST_AUTO_TEST_CASE(refuses_a_fraction_for_a_dimension) {
  const Error error = refused(entry("a", "U8", "[2.0]", 0, 2), 2);
  BOOST_TEST(has(error.message(), "a dimension of tensor 'a' is 2.0, not whole"));
}

BOOST_AUTO_TEST_CASE(refuses_an_exponent_for_a_dimension) {
  BOOST_TEST(has(refused(entry("a", "U8", "[1e3]", 0, 1000), 1000).message(), "is 1e3, not whole"));
}

BOOST_AUTO_TEST_CASE(refuses_a_dimension_of_2_to_the_64) {
  const Error error = refused(entry("a", "U8", "[18446744073709551616]", 0, 1), 1);
  BOOST_TEST(has(error.message(), "is 18446744073709551616, more than 64 bits hold"));
}

BOOST_AUTO_TEST_CASE(refuses_an_element_count_that_overflows) {
  const Error error = refused(entry("a", "F32", "[4294967296,4294967296]", 0, 0), 0);
  BOOST_TEST(error.message() ==
             "tensor 'a' of shape [4294967296, 4294967296] and dtype F32: the element count "
             "overflows 64 bits");
}

BOOST_AUTO_TEST_CASE(refuses_a_byte_count_that_overflows) {
  const Error error = refused(entry("a", "F64", "[4611686018427387904]", 0, 0), 0);
  BOOST_TEST(has(error.message(), "the size overflows 64 bits"));
}

BOOST_AUTO_TEST_CASE(refuses_an_overflow_though_a_later_dimension_is_zero) {
  const Error error =
      refused(entry("a", "U8", "[18446744073709551615,18446744073709551615,0]", 0, 0), 0);
  BOOST_TEST(has(error.message(), "the element count overflows 64 bits"));
}

BOOST_AUTO_TEST_CASE(refuses_more_than_32_dimensions) {
  std::string ones = "1";
  for (int i = 1; i < 32; ++i) ones += ",1";
  BOOST_TEST(read(file_of(entry("a", "U8", "[" + ones + "]", 0, 1), 1)).tensors.size() == 1u);
  const Error error = refused(entry("a", "U8", "[" + ones + ",1]", 0, 1), 1);
  BOOST_TEST((error.kind() == ErrorKind::kUnsupported));
  BOOST_TEST(error.message() == "tensor 'a' has more than 32 dimensions");
}

BOOST_AUTO_TEST_CASE(refuses_bytes_for_a_tensor_without_elements) {
  const Error error = refused(entry("a", "F32", "[0]", 0, 4), 4);
  BOOST_TEST(error.message() ==
             "tensor 'a' has data_offsets for 4 bytes, its dtype and shape give 0");
}

BOOST_AUTO_TEST_CASE(refuses_packed_types_that_end_within_a_byte) {
  BOOST_TEST(has(refused(entry("a", "F4", "[3]", 0, 2), 2).message(),
                 "3 elements are not whole blocks of 2"));
  BOOST_TEST(has(refused(entry("a", "F6_E3M2", "[2]", 0, 2), 2).message(),
                 "2 elements are not whole blocks of 4"));
}

BOOST_AUTO_TEST_CASE(refuses_an_end_before_its_begin) {
  const Error error = refused(entry("a", "U8", "[16]", 16, 0), 16);
  BOOST_TEST(error.message() == "tensor 'a' ends at data byte 0, before it begins at 16");
}

BOOST_AUTO_TEST_CASE(refuses_other_than_two_offsets) {
  BOOST_TEST(refused(R"("a":{"data_offsets":[0]})", 0).message() ==
             "tensor 'a' has 1 data_offsets, need two");
  BOOST_TEST(refused(R"("a":{"data_offsets":[]})", 0).message() ==
             "tensor 'a' has 0 data_offsets, need two");
  BOOST_TEST(refused(R"("a":{"data_offsets":[0,4,8]})", 0).message() ==
             "tensor 'a' has more than two data_offsets");
}

BOOST_AUTO_TEST_CASE(refuses_an_offset_that_is_not_a_whole_number) {
  BOOST_TEST(refused(R"("a":{"data_offsets":[0,"4"]})", 0).message() ==
             "an offset of tensor 'a' is the string '4', need a whole number from 0 to 2^64-1");
}

BOOST_AUTO_TEST_CASE(refuses_a_size_that_dtype_and_shape_do_not_give) {
  BOOST_TEST(refused(entry("a", "F32", "[2]", 0, 7), 7).message() ==
             "tensor 'a' has data_offsets for 7 bytes, its dtype and shape give 8");
  BOOST_TEST(refused(entry("a", "F32", "[2]", 0, 9), 9).message() ==
             "tensor 'a' has data_offsets for 9 bytes, its dtype and shape give 8");
}

BOOST_AUTO_TEST_CASE(refuses_a_hole_before_the_first_tensor) {
  const std::string file = file_of(entry("a", "F32", "[1]", 4, 8), 8);
  const Error error = refused(file);
  const size_t data = file.size() - 8;
  BOOST_TEST(error.message() == "hole before tensor 'a': bytes " + std::to_string(data) + " to " +
                                    std::to_string(data + 4) + " belong to no tensor");
  BOOST_TEST(error.where() == "model.safetensors, byte " + std::to_string(data));
}

BOOST_AUTO_TEST_CASE(refuses_a_hole_between_two_tensors) {
  const Error error =
      refused(entry("a", "U8", "[1]", 0, 1) + "," + entry("b", "U8", "[1]", 3, 4), 4);
  BOOST_TEST(has(error.message(), "hole before tensor 'b'"));
}

BOOST_AUTO_TEST_CASE(refuses_two_tensors_that_overlap) {
  const std::string file =
      file_of(entry("a", "U8", "[4]", 0, 4) + "," + entry("b", "U8", "[4]", 3, 7), 7);
  const Error error = refused(file);
  const size_t data = file.size() - 7;
  BOOST_TEST(error.message() == "tensor 'b' begins at byte " + std::to_string(data + 3) +
                                    ", tensor 'a' ends at " + std::to_string(data + 4) +
                                    ": they overlap");
  BOOST_TEST(error.where() == "model.safetensors, byte " + std::to_string(data + 3));
}

BOOST_AUTO_TEST_CASE(refuses_two_tensors_that_share_their_bytes) {
  const Error error =
      refused(entry("a", "U8", "[4]", 0, 4) + "," + entry("b", "U8", "[4]", 0, 4), 4);
  BOOST_TEST(has(error.message(), "they overlap"));
}

BOOST_AUTO_TEST_CASE(refuses_bytes_after_the_last_tensor) {
  const std::string file = file_of(entry("a", "U8", "[4]", 0, 4), 5);
  const Error error = refused(file);
  BOOST_TEST(error.message() == "bytes " + std::to_string(file.size() - 1) + " to " +
                                    std::to_string(file.size()) +
                                    " at the end of the file belong to no tensor");
  BOOST_TEST(error.where() == "model.safetensors, byte " + std::to_string(file.size() - 1));
}

BOOST_AUTO_TEST_CASE(refuses_an_archive_appended_to_the_weights) {
  const Error error =
      refused(file_of(entry("a", "U8", "[4]", 0, 4), 4) + "PK\x05\x06" + std::string(18, '\0'));
  BOOST_TEST(has(error.message(), "at the end of the file belong to no tensor"));
}

BOOST_AUTO_TEST_CASE(refuses_a_tensor_that_ends_one_byte_past_the_file) {
  const std::string file = file_of(entry("a", "U8", "[4]", 0, 4), 3);
  const Error error = refused(file);
  BOOST_TEST(error.message() == "file has " + std::to_string(file.size()) +
                                    " bytes, its header describes " +
                                    std::to_string(file.size() + 1) + ": tensor 'a' is cut off");
  BOOST_TEST(error.where() == "model.safetensors, byte " + std::to_string(file.size()));
}

BOOST_AUTO_TEST_CASE(names_the_first_tensor_that_a_stopped_download_cut_off) {
  const Error error =
      refused(entry("a", "U8", "[4]", 0, 4) + "," + entry("b", "U8", "[4]", 4, 8), 0);
  BOOST_TEST(has(error.message(), "tensor 'a' is cut off"));
  BOOST_TEST(has(error.hint(), "stopped early"));
}

BOOST_AUTO_TEST_CASE(refuses_offsets_that_overflow_behind_the_header) {
  const Error error = refused(entry("a", "U8", "[1]", UINT64_MAX - 1, UINT64_MAX), 1);
  BOOST_TEST(has(error.message(), "tensor 'a' begins at data byte 18446744073709551614"));
}

BOOST_AUTO_TEST_CASE(recognises_a_git_lfs_pointer) {
  const Error error =
      refused("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
  BOOST_TEST(has(error.message(), "the file begins with 'version https://'"));
  BOOST_TEST(has(error.hint(), "git-lfs pointer"));
}

BOOST_AUTO_TEST_CASE(recognises_an_html_page) {
  BOOST_TEST(has(refused("<!DOCTYPE html><html>").hint(), "HTML page"));
  BOOST_TEST(has(refused("<html><body>404</body>").hint(), "HTML page"));
}

BOOST_AUTO_TEST_CASE(recognises_compressed_data) {
  BOOST_TEST(has(refused("\x1F\x8B\x08\x01\x01\x01\x01\x01\x01").hint(), "gzip"));
  BOOST_TEST(has(refused("\x28\xB5\x2F\xFD\x01\x01\x01\x01\x01").hint(), "zstd"));
}

BOOST_AUTO_TEST_CASE(recognises_a_torch_archive_and_a_pickle) {
  BOOST_TEST(has(refused("PK\x03\x04\x01\x01\x01\x01\x01").hint(), "zip archive"));
  BOOST_TEST(has(refused("\x80\x02}q\x01(X\x01\x01\x01").hint(), "pickle"));
}

BOOST_AUTO_TEST_CASE(recognises_a_foreign_file_whose_length_field_is_small_enough) {
  const Error error = refused(std::string("\x80\x02\x01\0\0\0\0\0", 8));
  BOOST_TEST(has(error.message(), "header ends at byte"));
  BOOST_TEST(has(error.hint(), "pickle"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
