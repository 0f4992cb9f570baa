#include "engine/checkpoint/gguf.h"

#include <boost/test/unit_test.hpp>

#include "engine/checkpoint/gguf_metadata.h"
#include "engine/checkpoint/gguf_split.h"
#include "tests/support/gguf_bytes.h"
#include "tests/support/memory_bytes.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"

namespace qspec::test {
namespace {

constexpr uint32_t kU8 = 0, kI8 = 1, kU16 = 2, kI16 = 3, kU32 = 4, kI32 = 5, kF32 = 6, kBool = 7,
                   kString = 8, kU64 = 10, kI64 = 11, kF64 = 12;
constexpr uint32_t kTypeF32 = 0, kTypeQ4_0 = 2, kTypeQ4K = 12;

FileHeader read(const std::string& bytes) {
  return read_gguf_header(MemoryBytes(bytes, "model.gguf"));
}

Error refused(const std::string& bytes) {
  return refusal([&] { read(bytes); });
}

bool refuses(const std::string& bytes, std::string_view part) {
  const std::string message = refused(bytes).message();
  BOOST_TEST_INFO(message);
  return has(message, part);
}

GgufFile one_tensor(const std::vector<uint64_t>& dimensions, uint32_t type, size_t data,
                    uint64_t offset = 0) {
  GgufFile file;
  file.tensors = {gguf_tensor("a", dimensions, type, offset)};
  file.data = std::string(data, 'd');
  return file;
}

GgufFile with_pair(const std::string& pair) {
  GgufFile file = one_tensor({8}, kTypeF32, 32);
  file.pairs = {pair};
  return file;
}

MetadataValue value_of(const std::string& pair) {
  return read(with_pair(pair).bytes()).values.at(0).value;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gguf_tests)

BOOST_AUTO_TEST_CASE(reads_names_types_shapes_and_places) {
  GgufFile file;
  file.tensors = {gguf_tensor("w", {64, 3}, kTypeQ4_0, 0), gguf_tensor("b", {3}, kTypeF32, 128)};
  file.data = std::string(140, 'd');
  const std::string bytes = file.bytes();
  const FileHeader header = read(bytes);
  const TensorEntry& w = header.tensors.at(0);
  BOOST_TEST(w.name == "w");
  BOOST_TEST((w.dtype == Dtype::kQ4_0));
  BOOST_TEST(w.shape == (std::vector<uint64_t>{3, 64}));
  BOOST_TEST(w.bytes == 108u);
  BOOST_TEST(w.offset == header.bytes);
  BOOST_TEST(header.tensors.at(1).offset == header.bytes + 128);
  BOOST_TEST(header.bytes + 140 == bytes.size());
}

BOOST_AUTO_TEST_CASE(reads_version_2_and_tensors_in_any_order) {
  GgufFile file;
  file.version = 2;
  file.tensors = {gguf_tensor("second", {8}, kTypeF32, 32), gguf_tensor("first", {8}, kTypeF32, 0)};
  file.data = std::string(64, 'd');
  BOOST_TEST(read(file.bytes()).tensors.at(0).name == "first");
}

BOOST_AUTO_TEST_CASE(accepts_a_last_tensor_with_or_without_padding) {
  BOOST_TEST(read(one_tensor({1}, kTypeF32, 4).bytes()).tensors.at(0).bytes == 4u);
  BOOST_TEST(read(one_tensor({1}, kTypeF32, 32).bytes()).tensors.at(0).bytes == 4u);
}

BOOST_AUTO_TEST_CASE(accepts_a_scalar) {
  BOOST_TEST(read(one_tensor({}, kTypeF32, 4).bytes()).tensors.at(0).shape.empty());
}

BOOST_AUTO_TEST_CASE(reads_numbers_of_every_type) {
  BOOST_TEST(std::get<uint64_t>(value_of(gguf_pair("k", kU8, "\xff"))) == 255u);
  BOOST_TEST(std::get<int64_t>(value_of(gguf_pair("k", kI8, "\xff"))) == -1);
  BOOST_TEST(std::get<uint64_t>(value_of(gguf_pair("k", kU16, le(65535, 2)))) == 65535u);
  BOOST_TEST(std::get<int64_t>(value_of(gguf_pair("k", kI16, le(65534, 2)))) == -2);
  BOOST_TEST(std::get<uint64_t>(value_of(gguf_pair("k", kU32, le(1u << 31, 4)))) == 1u << 31);
  BOOST_TEST(std::get<int64_t>(value_of(gguf_pair("k", kI32, le(0xfffffffd, 4)))) == -3);
  BOOST_TEST(std::get<uint64_t>(value_of(gguf_pair("k", kU64, le(UINT64_MAX, 8)))) == UINT64_MAX);
  BOOST_TEST(std::get<int64_t>(value_of(gguf_pair("k", kI64, le(UINT64_MAX, 8)))) == -1);
  BOOST_TEST(std::get<double>(value_of(gguf_pair("k", kF32, le(0x3fc00000, 4)))) == 1.5);
  BOOST_TEST(std::get<double>(value_of(gguf_pair("k", kF64, le(0x3ff8000000000000, 8)))) == 1.5);
  BOOST_TEST(std::get<bool>(value_of(gguf_pair("k", kBool, "\x01"))));
}

BOOST_AUTO_TEST_CASE(reads_strings_and_arrays) {
  BOOST_TEST(std::get<std::string>(value_of(gguf_pair("k", kString, gguf_text("x")))) == "x");
  const std::string texts = gguf_text("") + gguf_text("ab");
  const auto strings = std::get<MetadataArray>(value_of(gguf_array("k", kString, 2, texts)));
  BOOST_TEST(strings.count == 2u);
  BOOST_TEST(strings.bytes == texts);
  const auto numbers = std::get<MetadataArray>(value_of(gguf_array("k", kU16, 2, "abcd")));
  BOOST_TEST(numbers.bytes == "abcd");
}

BOOST_AUTO_TEST_CASE(finds_metadata_by_key) {
  const FileHeader header = read(with_pair(gguf_pair("k", kU8, "a")).bytes());
  BOOST_TEST(find_metadata(header.values, "k") == &header.values[0]);
  BOOST_TEST(find_metadata(header.values, "j") == nullptr);
}

BOOST_AUTO_TEST_CASE(reads_metadata_longer_than_one_window) {
  const std::string text(3 << 20, 't');
  BOOST_TEST(std::get<std::string>(value_of(gguf_pair("k", kString, gguf_text(text)))) == text);
}

BOOST_AUTO_TEST_CASE(refuses_other_kinds_of_files) {
  GgufFile file = one_tensor({8}, kTypeF32, 32);
  file.magic = "lmgg";
  BOOST_TEST((refused(file.bytes()).kind() == ErrorKind::kUnsupported));
  BOOST_TEST(has(refused(file.bytes()).hint(), "before GGUF"));
  file.magic = "PK\x03\x04";
  BOOST_TEST(has(refused(file.bytes()).hint(), "zip"));
  BOOST_TEST(refuses("GGUF", "file has 4 bytes, need at least 24"));
}

BOOST_AUTO_TEST_CASE(refuses_other_versions_and_byte_orders) {
  GgufFile file = one_tensor({8}, kTypeF32, 32);
  for (const uint32_t version : {0u, 1u, 4u, 1u << 31}) {
    file.version = version;
    BOOST_TEST(refuses(file.bytes(), "need 2 or 3"));
  }
  file.version = 3u << 24;
  BOOST_TEST(refuses(file.bytes(), "big-endian"));
}

BOOST_AUTO_TEST_CASE(refuses_counts_that_the_file_cannot_hold) {
  const GgufFile file = one_tensor({8}, kTypeF32, 32);
  BOOST_TEST(refuses(file.header(1, INT64_MAX), "keys, more than the"));
  BOOST_TEST(refuses(file.header(1, UINT64_MAX), "keys, more than the"));
  BOOST_TEST(refuses(file.header(uint64_t{1} << 60, 0), "tensors, more than the"));
}

BOOST_AUTO_TEST_CASE(refuses_more_keys_than_the_limit) {
  GgufFile file = one_tensor({8}, kTypeF32, 1 << 20);
  BOOST_TEST(refuses(file.header(1, kMaxGgufKeys + 1), "the limit is 65536"));
}

BOOST_AUTO_TEST_CASE(refuses_wrong_keys) {
  const auto pair = [](const std::string& key) { return gguf_pair(key, kU8, "a"); };
  BOOST_TEST(refuses(with_pair(pair("")).bytes(), "a key is empty"));
  BOOST_TEST(refuses(with_pair(pair("\xff")).bytes(), "is not UTF-8"));
  BOOST_TEST(refuses(with_pair(pair(std::string(65536, 'k'))).bytes(), "the limit is 65535"));
  BOOST_TEST(refuses(with_pair(le(UINT64_MAX, 8) + le(0, 8)).bytes(), "the limit is 65535"));
  GgufFile file = with_pair(pair("k"));
  file.pairs.push_back(pair("k"));
  BOOST_TEST(refuses(file.bytes(), "the key 'k' was at byte 24 before"));
}

BOOST_AUTO_TEST_CASE(refuses_unknown_types_of_values) {
  for (const uint32_t type : {13u, 255u, UINT32_MAX}) {
    BOOST_TEST(refuses(with_pair(gguf_pair("k", type, "a")).bytes(), "unknown type"));
    BOOST_TEST(refuses(with_pair(gguf_array("k", type, UINT64_MAX, "")).bytes(), "unknown type"));
  }
}

BOOST_AUTO_TEST_CASE(refuses_arrays_of_arrays) {
  BOOST_TEST(refuses(with_pair(gguf_array("k", 9, 1, "")).bytes(), "an array of arrays"));
}

BOOST_AUTO_TEST_CASE(refuses_arrays_longer_than_the_file) {
  for (const uint32_t type : {kU8, kU64, kString}) {
    for (const uint64_t count : {uint64_t{1} << 30, uint64_t{1} << 61, UINT64_MAX}) {
      BOOST_TEST(
          refuses(with_pair(gguf_array("k", type, count, "")).bytes(), "entries of at least"));
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_strings_longer_than_the_file_or_the_limit) {
  const uint64_t limit = kMaxGgufStringBytes;
  BOOST_TEST(refuses(with_pair(gguf_pair("k", kString, le(999, 8))).bytes(), "999 bytes"));
  BOOST_TEST(refuses(with_pair(gguf_pair("k", kString, le(limit + 1, 8))).bytes(), "the limit"));
  BOOST_TEST(
      refuses(with_pair(gguf_array("k", kString, 1, le(limit + 1, 8))).bytes(), "the limit"));
  BOOST_TEST(refuses(with_pair(gguf_array("k", kString, 1, le(999, 8))).bytes(), "999 bytes"));
}

BOOST_AUTO_TEST_CASE(refuses_bools_that_are_neither) {
  BOOST_TEST(refuses(with_pair(gguf_pair("k", kBool, "\x07")).bytes(), "the byte 7 for a bool"));
  BOOST_TEST(refuses(with_pair(gguf_array("k", kBool, 2, "\x01\x02")).bytes(), "the byte 2"));
}

BOOST_AUTO_TEST_CASE(refuses_wrong_alignments) {
  for (const uint32_t alignment : {0u, 3u, 1u << 17, 1u << 31}) {
    const std::string pair = gguf_pair("general.alignment", kU32, le(alignment, 4));
    BOOST_TEST(refuses(with_pair(pair).bytes(), "need a power of two up to 65536"));
  }
  BOOST_TEST(
      refuses(with_pair(gguf_pair("general.alignment", kU64, le(32, 8))).bytes(), "need u32"));
}

BOOST_AUTO_TEST_CASE(follows_another_alignment) {
  GgufFile file = with_pair(gguf_pair("general.alignment", kU32, le(256, 4)));
  file.alignment = 256;
  BOOST_TEST(read(file.bytes()).bytes % 256 == 0u);
}

BOOST_AUTO_TEST_CASE(refuses_wrong_names_of_tensors) {
  GgufFile file = one_tensor({8}, kTypeF32, 32);
  file.tensors = {gguf_tensor("", {8}, kTypeF32, 0)};
  BOOST_TEST(refuses(file.bytes(), "an empty name"));
  file.tensors = {gguf_tensor(std::string(4097, 'n'), {8}, kTypeF32, 0)};
  BOOST_TEST(refuses(file.bytes(), "the limit is 4096"));
  file.tensors = {gguf_tensor(std::string("a\0b", 3), {8}, kTypeF32, 0)};
  BOOST_TEST(refuses(file.bytes(), "NUL"));
  file.tensors = {gguf_tensor("a\xff", {8}, kTypeF32, 0)};
  BOOST_TEST(refuses(file.bytes(), "not UTF-8"));
  file.tensors = {gguf_tensor("a", {8}, kTypeF32, 0), gguf_tensor("a", {8}, kTypeF32, 32)};
  BOOST_TEST(refuses(file.bytes(), "described twice"));
}

BOOST_AUTO_TEST_CASE(refuses_wrong_dimensions) {
  BOOST_TEST(refuses(one_tensor({1, 1, 1, 1, 1}, kTypeF32, 32).bytes(), "5 dimensions"));
  BOOST_TEST(refuses(one_tensor({8, 0}, kTypeF32, 32).bytes(), "a dimension of 0"));
  BOOST_TEST(refuses(one_tensor({INT64_MAX, 3}, kTypeF32, 32).bytes(), "overflows 64 bits"));
  BOOST_TEST(refuses(one_tensor({UINT64_MAX}, kTypeF32, 32).bytes(), "overflows 64 bits"));
  BOOST_TEST(refuses(one_tensor({uint64_t{1} << 62}, kTypeF32, 32).bytes(), "overflows 64 bits"));
  BOOST_TEST(refuses(one_tensor({uint64_t{1} << 61}, kTypeF32, 32).bytes(), "the file has"));
}

BOOST_AUTO_TEST_CASE(refuses_removed_and_unknown_types_of_tensors) {
  BOOST_TEST(refuses(one_tensor({32}, 4, 32).bytes(), "the removed type 4"));
  BOOST_TEST(refuses(one_tensor({32}, 33, 32).bytes(), "the removed type 33"));
  BOOST_TEST(refuses(one_tensor({32}, 1000, 32).bytes(), "the unknown type 1000"));
  BOOST_TEST(refuses(one_tensor({32}, UINT32_MAX, 32).bytes(), "the unknown type 4294967295"));
}

BOOST_AUTO_TEST_CASE(refuses_rows_that_are_no_whole_blocks) {
  BOOST_TEST(refuses(one_tensor({16, 2}, kTypeQ4_0, 32).bytes(), "whole blocks of 32"));
  BOOST_TEST(refuses(one_tensor({128, 2}, kTypeQ4K, 144).bytes(), "whole blocks of 256"));
  BOOST_TEST(refuses(one_tensor({}, kTypeQ4_0, 32).bytes(), "rows of 1 elements"));
}

BOOST_AUTO_TEST_CASE(refuses_wrong_offsets) {
  BOOST_TEST(refuses(one_tensor({8}, kTypeF32, 64, 4).bytes(), "no multiple of the alignment"));
  BOOST_TEST(refuses(one_tensor({8}, kTypeF32, 64, uint64_t{1} << 63).bytes(), "the data has 64"));
  BOOST_TEST(refuses(one_tensor({8}, kTypeF32, 64, 32).bytes(), "hole before tensor 'a'"));
  GgufFile file;
  file.tensors = {gguf_tensor("a", {16}, kTypeF32, 0), gguf_tensor("b", {8}, kTypeF32, 32)};
  file.data = std::string(96, 'd');
  BOOST_TEST(refuses(file.bytes(), "they overlap"));
}

BOOST_AUTO_TEST_CASE(refuses_a_file_that_ends_early_or_late) {
  BOOST_TEST(refuses(one_tensor({8}, kTypeF32, 31).bytes(), "has 32 bytes from byte"));
  BOOST_TEST(refuses(one_tensor({8}, kTypeF32, 33).bytes(), "belong to no tensor"));
  BOOST_TEST(refuses(GgufFile().bytes(), "no tensors"));
  const std::string whole = one_tensor({8}, kTypeF32, 0).bytes();
  BOOST_TEST(refuses(whole.substr(0, 50), "the file has"));
  BOOST_TEST(refuses(whole.substr(0, 24 + 8 + 1 + 4 + 8 + 4 + 8), "the data begins at byte 64"));
}

BOOST_AUTO_TEST_CASE(names_the_parts_of_a_split_file) {
  BOOST_TEST(gguf_parts("m-00002-of-00003.gguf") ==
             (std::vector<std::string>{"m-00001-of-00003.gguf", "m-00002-of-00003.gguf",
                                       "m-00003-of-00003.gguf"}));
  for (const char* name : {"m.gguf", "m-0002-of-0003.gguf", "m-00002-of-x0003.gguf",
                           "m-x0002-of-00003.gguf", "-00001-of-00002.gguf"}) {
    BOOST_TEST(gguf_parts(name).empty());
  }
}

namespace {

GgufFile part(uint16_t number, uint16_t count, uint32_t tensors, const std::string& name) {
  GgufFile file;
  file.pairs = {gguf_pair("split.no", kU16, le(number, 2)),
                gguf_pair("split.count", kU16, le(count, 2)),
                gguf_pair("split.tensors.count", kI32, le(tensors, 4))};
  file.tensors = {gguf_tensor(name, {8}, kTypeF32, 0)};
  file.data = std::string(32, 'd');
  return file;
}

Error refused_parts(const GgufFile& first, const GgufFile& second) {
  const TemporaryFolder folder;
  folder.write("m-00001-of-00002.gguf", first.bytes());
  folder.write("m-00002-of-00002.gguf", second.bytes());
  return refusal([&] { Checkpoint::open(folder.path()); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(opens_all_parts_by_the_folder_or_by_any_of_them) {
  const TemporaryFolder folder;
  folder.write("m-00001-of-00002.gguf", part(0, 2, 2, "a").bytes());
  folder.write("m-00002-of-00002.gguf", part(1, 2, 2, "b").bytes());
  BOOST_TEST(Checkpoint::open(folder.path())->tensors().size() == 2u);
  const auto checkpoint = Checkpoint::open(folder.path() + "/m-00002-of-00002.gguf");
  BOOST_TEST(checkpoint->find("a")->file == 0u);
  BOOST_TEST(checkpoint->find("b")->file == 1u);
}

BOOST_AUTO_TEST_CASE(refuses_parts_that_do_not_belong_together) {
  const GgufFile first = part(0, 2, 2, "a");
  BOOST_TEST(has(refused_parts(first, part(0, 2, 2, "b")).message(), "split.no is 0, need 1"));
  BOOST_TEST(has(refused_parts(first, part(1, 3, 2, "b")).message(), "split.count is 3, need 2"));
  BOOST_TEST(has(refused_parts(first, part(1, 2, 5, "b")).message(), "split.tensors.count is 5"));
  BOOST_TEST(has(refused_parts(first, part(1, 2, 2, "a")).message(), "tensor 'a' is in"));
  BOOST_TEST(has(refused_parts(first, one_tensor({8}, kTypeF32, 32)).message(), "no split.no"));
  GgufFile negative = part(1, 2, 2, "b");
  negative.pairs[2] = gguf_pair("split.tensors.count", kI32, le(UINT32_MAX, 4));
  BOOST_TEST(has(refused_parts(first, negative).message(), "is no natural number"));
}

BOOST_AUTO_TEST_CASE(refuses_a_split_with_a_part_missing) {
  const TemporaryFolder folder;
  folder.write("m-00001-of-00002.gguf", part(0, 2, 2, "a").bytes());
  const Error error = refusal([&] { Checkpoint::open(folder.path()); });
  BOOST_TEST(has(error.where(), "m-00002-of-00002.gguf"));
}

BOOST_AUTO_TEST_CASE(opens_the_only_file_of_a_folder_and_refuses_to_choose) {
  const TemporaryFolder folder;
  folder.write("m.gguf", one_tensor({8}, kTypeF32, 32).bytes());
  BOOST_TEST(Checkpoint::open(folder.path())->tensors().size() == 1u);
  folder.write("n.gguf", one_tensor({8}, kTypeF32, 32).bytes());
  BOOST_TEST(has(refusal([&] { Checkpoint::open(folder.path()); }).message(), "several models"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
