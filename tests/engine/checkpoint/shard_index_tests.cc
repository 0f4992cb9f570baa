#include "engine/checkpoint/shard_index.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/refusal.h"

namespace qspec::test {
namespace {

ShardIndex parse(std::string_view text) {
  return parse_shard_index(text, "index.json");
}

Error refused(std::string_view text) {
  return refusal([&] { parse(text); });
}

std::string placing(std::string_view shard) {
  return R"({"weight_map":{"a":")" + std::string(shard) + R"("}})";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(shard_index_tests)

BOOST_AUTO_TEST_CASE(reads_shards_in_the_order_of_first_mention) {
  const ShardIndex index = parse(R"({"metadata":{"total_size":12},"weight_map":
      {"a":"2.safetensors","b":"1.safetensors","c":"2.safetensors"}})");
  BOOST_TEST(index.shards.size() == 2u);
  BOOST_TEST(index.shards.at(0).file == "2.safetensors");
  BOOST_TEST(index.shards.at(0).first_tensor == "a");
  BOOST_TEST(index.names == (std::vector<std::string>{"a", "b", "c"}),
             boost::test_tools::per_element());
  BOOST_TEST(index.shard_of == (std::vector<uint32_t>{0, 1, 0}), boost::test_tools::per_element());
  BOOST_TEST(*index.total_size == 12u);
}

BOOST_AUTO_TEST_CASE(needs_no_metadata) {
  BOOST_TEST(!parse(placing("m.safetensors")).total_size.has_value());
  BOOST_TEST(!parse(R"({"metadata":3,"weight_map":{"a":"m.safetensors"}})").total_size.has_value());
  BOOST_TEST(
      !parse(R"({"metadata":{},"weight_map":{"a":"m.safetensors"}})").total_size.has_value());
}

BOOST_AUTO_TEST_CASE(keeps_a_total_size_that_is_not_a_whole_number_as_it_is_written) {
  const ShardIndex index =
      parse(R"({"metadata":{"total_size":12.5},"weight_map":{"a":"m.safetensors"}})");
  BOOST_TEST(!index.total_size.has_value());
  BOOST_TEST(index.odd_total_size == "12.5");
}

BOOST_AUTO_TEST_CASE(allows_a_shard_in_a_folder_below) {
  BOOST_TEST(parse(placing("parts/1..2.safetensors")).shards.size() == 1u);
}

BOOST_AUTO_TEST_CASE(refuses_an_index_that_is_a_list) {
  const Error error = refused("[]");
  BOOST_TEST((error.kind() == ErrorKind::kCheckpoint));
  BOOST_TEST(error.message() == "the index is of type array, need object");
  BOOST_TEST(error.where() == "index.json");
}

BOOST_AUTO_TEST_CASE(refuses_an_index_without_weight_map) {
  BOOST_TEST(refused(R"({"metadata":{}})").message() == "the index has no weight_map");
}

BOOST_AUTO_TEST_CASE(refuses_a_weight_map_that_is_a_list) {
  BOOST_TEST(refused(R"({"weight_map":[]})").message() ==
             "weight_map is of type array, need object");
}

BOOST_AUTO_TEST_CASE(refuses_an_empty_weight_map) {
  BOOST_TEST(refused(R"({"weight_map":{}})").message() == "weight_map names no tensor");
}

BOOST_AUTO_TEST_CASE(refuses_a_shard_that_is_a_number) {
  BOOST_TEST(refused(R"({"weight_map":{"a":1}})").message() ==
             "weight_map places 'a' in a value of type number, need the name of a file");
}

BOOST_AUTO_TEST_CASE(refuses_a_tensor_that_is_placed_twice) {
  const Error error = refused(R"({"weight_map":{"a":"1.safetensors","a":"2.safetensors"}})");
  BOOST_TEST(error.message() == "key 'a' occurs twice in one object, first at byte 15");
}

BOOST_AUTO_TEST_CASE(refuses_a_shard_above_the_folder) {
  BOOST_TEST(refused(placing("../../etc/passwd")).message() ==
             "shard '../../etc/passwd' of tensor 'a' leaves the model folder");
  BOOST_TEST(
      has(refused(placing("parts/../../m.safetensors")).message(), "leaves the model folder"));
  BOOST_TEST(has(refused(placing("..")).message(), "leaves the model folder"));
}

BOOST_AUTO_TEST_CASE(refuses_an_absolute_shard) {
  BOOST_TEST(has(refused(placing("/etc/shadow")).message(), "is an absolute path"));
}

BOOST_AUTO_TEST_CASE(refuses_a_shard_with_a_backslash_or_nul) {
  BOOST_TEST(has(refused(placing(R"(..\\m.safetensors)")).message(), "holds a backslash or NUL"));
  const Error error = refused(placing(R"(m.safetensors\u0000.safetensors)"));
  BOOST_TEST(has(error.message(), "holds a backslash or NUL"));
  BOOST_TEST(has(error.message(), "\\x00"));
}

BOOST_AUTO_TEST_CASE(refuses_a_shard_without_name) {
  BOOST_TEST(has(refused(placing("")).message(), "has an empty name"));
}

BOOST_AUTO_TEST_CASE(refuses_a_shard_of_another_kind) {
  BOOST_TEST(has(refused(placing("pytorch_model.bin")).message(), "is not a .safetensors file"));
}

BOOST_AUTO_TEST_CASE(refuses_more_shards_than_the_limit) {
  std::string map;
  for (size_t i = 0; i <= kMaxShards; ++i) {
    const std::string number = std::to_string(i);
    map += (i == 0 ? "\"" : ",\"") + number + "\":\"" + number + ".safetensors\"";
  }
  BOOST_TEST(refused("{\"weight_map\":{" + map + "}}").message() ==
             "the index names more than 100000 shards");
}

BOOST_AUTO_TEST_CASE(refuses_a_text_that_is_not_json) {
  BOOST_TEST(has(refused("version https://git-lfs").message(), "not JSON"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
