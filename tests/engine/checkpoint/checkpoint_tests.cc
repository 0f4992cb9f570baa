#include "engine/checkpoint/checkpoint.h"

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include "tests/support/pickle_bytes.h"
#include "tests/support/refusal.h"
#include "tests/support/safetensors_bytes.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/unprivileged.h"

namespace qspec::test {
namespace {

constexpr const char* kFirst = "model-00001-of-00002.safetensors";
constexpr const char* kSecond = "model-00002-of-00002.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

// One U8 tensor of the bytes of `data`.
std::string one_tensor(std::string_view name, std::string_view data) {
  return safetensors(
      "{" + entry(name, "U8", "[" + std::to_string(data.size()) + "]", 0, data.size()) + "}", data);
}

// An entry of so many bytes of storage 0.
std::string pickled_bytes(std::string_view name, size_t bytes) {
  return pickled_text(name) +
         pickled_tensor(pickled_storage("ByteStorage", "0", bytes), 0, {bytes}, {1});
}

// The same as torch.save writes it.
std::string one_pickled(std::string_view name, const std::string& data) {
  return torch_archive(pickled_dictionary(pickled_bytes(name, data.size())), {data});
}

// A folder with two shards, `a` in the first and `b` in the second, and this index.
void write_two_shards(const TemporaryFolder& folder, std::string_view index) {
  folder.write(kFirst, one_tensor("a", "AAAA"));
  folder.write(kSecond, one_tensor("b", "BB"));
  folder.write(kIndex, index);
}

constexpr std::string_view kGoodIndex = R"({"metadata":{"total_size":6},"weight_map":{
  "a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}})";

std::string content(const Checkpoint& checkpoint, std::string_view name) {
  const TensorEntry* entry = checkpoint.find(name);
  BOOST_REQUIRE(entry != nullptr);
  std::string data(entry->bytes, '\0');
  checkpoint.read(*entry, 0, std::as_writable_bytes(std::span(data)));
  return data;
}

Error refused(const std::string& path) {
  return refusal([&] { Checkpoint::open(path); });
}

std::string text_of_problems(const Checkpoint& checkpoint) {
  std::string text;
  for (const CheckpointProblem& problem : checkpoint.problems()) {
    text += problem.kind + " " + problem.key + ": " + problem.found + ", wanted " + problem.wanted +
            "\n";
  }
  return text;
}

std::string example(std::string_view name) {
  return std::string(QSPEC_SOURCE_DIR) + "/examples/models/" + std::string(name);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(checkpoint_tests)

BOOST_AUTO_TEST_CASE(opens_the_models_that_come_with_the_program) {
  const auto dense = Checkpoint::open(example("bloom-tiny"));
  BOOST_TEST(dense->tensors().size() == 53u);
  BOOST_TEST(dense->problems().empty());
  BOOST_TEST(dense->files().at(0).metadata.at("format") == "pt");
  const auto quantized = Checkpoint::open(example("bloom-tiny-bnb-nf4"));
  const TensorEntry* state =
      quantized->find("transformer.h.0.mlp.dense_4h_to_h.weight.quant_state.bitsandbytes__nf4");
  BOOST_REQUIRE(state != nullptr);
  BOOST_TEST((state->dtype == Dtype::kU8));
}

BOOST_AUTO_TEST_CASE(accounts_for_every_byte_of_its_files) {
  const auto checkpoint = Checkpoint::open(example("bloom-tiny-bnb-nf4"));
  uint64_t bytes = checkpoint->files().at(0).header_bytes;
  for (const TensorEntry& entry : checkpoint->tensors()) bytes += entry.bytes;
  BOOST_TEST(bytes == checkpoint->files().at(0).size);
}

BOOST_AUTO_TEST_CASE(opens_a_folder_with_one_file) {
  const TemporaryFolder folder;
  folder.write("model.safetensors", one_tensor("a", "xyz"));
  const auto checkpoint = Checkpoint::open(folder.path() + "//");
  BOOST_TEST(checkpoint->path() == folder.path() + "//");
  BOOST_TEST(checkpoint->files().at(0).path == folder / "model.safetensors");
  BOOST_TEST(content(*checkpoint, "a") == "xyz");
}

BOOST_AUTO_TEST_CASE(opens_one_file) {
  const TemporaryFolder folder;
  BOOST_TEST(content(*Checkpoint::open(folder.write("any.safetensors", one_tensor("a", "x"))),
                     "a") == "x");
}

BOOST_AUTO_TEST_CASE(opens_a_blob_of_the_hub_cache) {
  const TemporaryFolder folder;
  BOOST_TEST(content(*Checkpoint::open(folder.write("0a1b2c", one_tensor("a", "x"))), "a") == "x");
}

BOOST_AUTO_TEST_CASE(reads_a_part_of_a_tensor) {
  const TemporaryFolder folder;
  const auto checkpoint =
      Checkpoint::open(folder.write("m.safetensors", one_tensor("a", "0123456789")));
  std::string part(3, '\0');
  checkpoint->read(*checkpoint->find("a"), 4, std::as_writable_bytes(std::span(part)));
  BOOST_TEST(part == "456");
}

BOOST_AUTO_TEST_CASE(refuses_to_read_past_the_end_of_a_tensor) {
  const TemporaryFolder folder;
  const auto checkpoint = Checkpoint::open(folder.write("m.safetensors", one_tensor("a", "0123")));
  std::string part(3, '\0');
  const Error error = refusal([&] {
    checkpoint->read(*checkpoint->find("a"), 2, std::as_writable_bytes(std::span(part)));
  });
  BOOST_TEST((error.kind() == ErrorKind::kInternal));
  BOOST_TEST(error.message() == "read of 3 bytes at byte 2 of tensor 'a', which has 4");
}

BOOST_AUTO_TEST_CASE(finds_no_tensor_under_an_unknown_name) {
  const TemporaryFolder folder;
  const auto checkpoint = Checkpoint::open(folder.write("m.safetensors", one_tensor("a", "x")));
  BOOST_TEST(checkpoint->find("b") == nullptr);
  BOOST_TEST(checkpoint->find("") == nullptr);
}

BOOST_AUTO_TEST_CASE(opens_a_folder_with_shards) {
  const TemporaryFolder folder;
  write_two_shards(folder, kGoodIndex);
  const auto checkpoint = Checkpoint::open(folder.path());
  BOOST_TEST(text_of_problems(*checkpoint) == "");
  BOOST_TEST(checkpoint->files().size() == 2u);
  BOOST_TEST(content(*checkpoint, "a") == "AAAA");
  BOOST_TEST(content(*checkpoint, "b") == "BB");
}

BOOST_AUTO_TEST_CASE(reports_a_tensor_that_no_shard_has) {
  const TemporaryFolder folder;
  write_two_shards(folder, R"({"weight_map":{"a":"model-00001-of-00002.safetensors",
    "b":"model-00002-of-00002.safetensors","c":"model-00002-of-00002.safetensors"}})");
  BOOST_TEST(text_of_problems(*Checkpoint::open(folder.path())) ==
             "ghost c: in no shard, wanted in model-00002-of-00002.safetensors\n");
}

BOOST_AUTO_TEST_CASE(reports_a_tensor_that_the_index_does_not_list) {
  const TemporaryFolder folder;
  write_two_shards(folder, kGoodIndex);
  folder.write(kSecond,
               file_of(entry("b", "U8", "[2]", 0, 2) + "," + entry("z", "U8", "[0]", 2, 2), 2));
  BOOST_TEST(text_of_problems(*Checkpoint::open(folder.path())) ==
             "unlisted z: in model-00002-of-00002.safetensors, wanted in the index too\n");
}

BOOST_AUTO_TEST_CASE(reports_a_tensor_that_is_in_another_shard_and_finds_it_there) {
  const TemporaryFolder folder;
  write_two_shards(folder, R"({"weight_map":{"b":"model-00001-of-00002.safetensors",
    "a":"model-00002-of-00002.safetensors"}})");
  const auto checkpoint = Checkpoint::open(folder.path());
  BOOST_TEST(text_of_problems(*checkpoint) ==
             "misplaced b: in model-00002-of-00002.safetensors, wanted in "
             "model-00001-of-00002.safetensors\n"
             "misplaced a: in model-00001-of-00002.safetensors, wanted in "
             "model-00002-of-00002.safetensors\n");
  BOOST_TEST(content(*checkpoint, "a") == "AAAA");
}

BOOST_AUTO_TEST_CASE(reports_a_wrong_total_size) {
  const TemporaryFolder folder;
  write_two_shards(folder, R"({"metadata":{"total_size":7},"weight_map":{
    "a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}})");
  BOOST_TEST(text_of_problems(*Checkpoint::open(folder.path())) == "total_size : 7, wanted 6\n");
}

BOOST_AUTO_TEST_CASE(reports_a_total_size_that_is_a_string) {
  const TemporaryFolder folder;
  write_two_shards(folder, R"({"metadata":{"total_size":"6"},"weight_map":{
    "a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}})");
  BOOST_TEST(text_of_problems(*Checkpoint::open(folder.path())) ==
             "total_size : \"6\", wanted 6\n");
}

BOOST_AUTO_TEST_CASE(reports_a_tensor_in_two_shards_and_takes_the_one_that_the_index_means) {
  const TemporaryFolder folder;
  write_two_shards(folder, R"({"weight_map":{"a":"model-00002-of-00002.safetensors",
    "c":"model-00001-of-00002.safetensors"}})");
  folder.write(kFirst, safetensors("{" + entry("a", "U8", "[1]", 0, 1) + "," +
                                       entry("c", "U8", "[1]", 1, 2) + "}",
                                   "1C"));
  folder.write(kSecond, one_tensor("a", "2"));
  const auto checkpoint = Checkpoint::open(folder.path());
  BOOST_TEST(text_of_problems(*checkpoint) ==
             "duplicate a: in model-00001-of-00002.safetensors too, wanted only in "
             "model-00002-of-00002.safetensors\n");
  BOOST_TEST(content(*checkpoint, "a") == "2");
  BOOST_TEST(checkpoint->tensors().size() == 2u);
}

BOOST_AUTO_TEST_CASE(takes_the_first_of_two_tensors_that_the_index_does_not_list) {
  const TemporaryFolder folder;
  write_two_shards(folder, kGoodIndex);
  folder.write(kFirst, safetensors("{" + entry("a", "U8", "[4]", 0, 4) + "," +
                                       entry("z", "U8", "[1]", 4, 5) + "}",
                                   "AAAA1"));
  folder.write(kSecond, safetensors("{" + entry("b", "U8", "[2]", 0, 2) + "," +
                                        entry("z", "U8", "[1]", 2, 3) + "}",
                                    "BB2"));
  const auto checkpoint = Checkpoint::open(folder.path());
  BOOST_TEST(content(*checkpoint, "z") == "1");
  BOOST_TEST(has(text_of_problems(*checkpoint), "duplicate z: in model-00002-of-00002"));
  BOOST_TEST(has(text_of_problems(*checkpoint), "unlisted z"));
}

BOOST_AUTO_TEST_CASE(names_a_missing_shard_and_the_first_tensor_in_it) {
  const TemporaryFolder folder;
  write_two_shards(folder, kGoodIndex);
  std::filesystem::remove(folder / kSecond);
  const Error error = refused(folder.path());
  BOOST_TEST((error.kind() == ErrorKind::kIo));
  BOOST_TEST(error.message() ==
             "shard 'model-00002-of-00002.safetensors' is missing; tensor 'b' is in it");
  BOOST_TEST(error.where() == folder / kSecond);
}

BOOST_AUTO_TEST_CASE(suggests_a_shard_whose_name_differs_in_case) {
  const TemporaryFolder folder;
  write_two_shards(folder, kGoodIndex);
  std::filesystem::rename(folder / kSecond, folder / "Model-00002-of-00002.safetensors");
  BOOST_TEST(refused(folder.path()).hint() == "did you mean 'Model-00002-of-00002.safetensors'?");
}

BOOST_AUTO_TEST_CASE(refuses_a_shard_that_is_a_folder) {
  const TemporaryFolder folder;
  write_two_shards(folder, kGoodIndex);
  std::filesystem::remove(folder / kSecond);
  std::filesystem::create_directory(folder / kSecond);
  BOOST_TEST(refused(folder.path()).message() == "found a folder, need a regular file");
}

BOOST_AUTO_TEST_CASE(refuses_a_shard_that_is_a_pipe_without_waiting) {
  const TemporaryFolder folder;
  write_two_shards(folder, kGoodIndex);
  std::filesystem::remove(folder / kSecond);
  BOOST_REQUIRE(::mkfifo((folder / kSecond).c_str(), 0600) == 0);
  BOOST_TEST(refused(folder.path()).message() == "found a pipe, need a regular file");
}

BOOST_AUTO_TEST_CASE(refuses_a_shard_that_links_out_of_the_folder) {
  const TemporaryFolder folder;
  const TemporaryFolder elsewhere;
  write_two_shards(folder, kGoodIndex);
  std::filesystem::remove(folder / kSecond);
  const std::string target = elsewhere.write("b.safetensors", one_tensor("b", "BB"));
  std::filesystem::create_symlink(target, folder / kSecond);
  const Error error = refused(folder.path());
  BOOST_TEST((error.kind() == ErrorKind::kCheckpoint));
  BOOST_TEST(error.message() == "shard is a link to '" + target + "', outside of the model folder");
  BOOST_TEST(error.where() == folder / kSecond);
}

BOOST_AUTO_TEST_CASE(follows_the_links_of_the_hub_cache) {
  const TemporaryFolder cache;
  cache.write("models--x/blobs/11", one_tensor("a", "AAAA"));
  cache.write("models--x/blobs/22", one_tensor("b", "BB"));
  const std::string snapshot = "models--x/snapshots/abc";
  cache.write(snapshot + "/" + kIndex, kGoodIndex);
  std::filesystem::create_symlink("../../blobs/11", cache / (snapshot + "/" + kFirst));
  std::filesystem::create_symlink("../../blobs/22", cache / (snapshot + "/" + kSecond));
  BOOST_TEST(content(*Checkpoint::open(cache / snapshot), "b") == "BB");
}

BOOST_AUTO_TEST_CASE(reports_a_shard_whose_link_leads_nowhere_as_missing) {
  const TemporaryFolder folder;
  write_two_shards(folder, kGoodIndex);
  std::filesystem::remove(folder / kSecond);
  std::filesystem::create_symlink("../../blobs/22", folder / kSecond);
  BOOST_TEST(has(refused(folder.path()).message(), "is missing"));
}

BOOST_AUTO_TEST_CASE(prefers_the_single_file_and_reports_the_index_beside_it) {
  const TemporaryFolder folder;
  write_two_shards(folder, kGoodIndex);
  folder.write("model.safetensors", one_tensor("whole", "W"));
  const auto checkpoint = Checkpoint::open(folder.path());
  BOOST_TEST(content(*checkpoint, "whole") == "W");
  BOOST_TEST(text_of_problems(*checkpoint) ==
             "ignored : model.safetensors.index.json, wanted no index beside model.safetensors\n");
}

BOOST_AUTO_TEST_CASE(reads_one_file_under_another_name_and_reports_it) {
  const TemporaryFolder folder;
  folder.write("gptq_model-4bit.safetensors", one_tensor("a", "A"));
  BOOST_TEST(text_of_problems(*Checkpoint::open(folder.path())) ==
             "misnamed : gptq_model-4bit.safetensors, wanted model.safetensors\n");
}

BOOST_AUTO_TEST_CASE(refuses_shards_without_an_index) {
  const TemporaryFolder folder;
  write_two_shards(folder, kGoodIndex);
  std::filesystem::remove(folder / kIndex);
  const Error error = refused(folder.path());
  BOOST_TEST((error.kind() == ErrorKind::kCheckpoint));
  BOOST_TEST(error.message() ==
             "found model-00001-of-00002.safetensors, model-00002-of-00002.safetensors but no "
             "model.safetensors.index.json, which says what each shard holds");
}

BOOST_AUTO_TEST_CASE(refuses_a_lone_shard_without_an_index) {
  const TemporaryFolder folder;
  folder.write(kFirst, one_tensor("a", "A"));
  BOOST_TEST(has(refused(folder.path()).message(), "but no model.safetensors.index.json"));
}

BOOST_AUTO_TEST_CASE(suggests_the_nearest_name_for_a_path_that_is_not_there) {
  const Error error = refused(example("blom-tiny"));
  BOOST_TEST((error.kind() == ErrorKind::kIo));
  BOOST_TEST(error.message() == "no such file or folder");
  BOOST_TEST(error.where() == example("blom-tiny"));
  BOOST_TEST(error.hint() == "did you mean 'bloom-tiny'?");
}

BOOST_AUTO_TEST_CASE(says_no_more_than_that_when_the_folder_above_is_not_there_either) {
  const Error error = refused("/nowhere/at/all");
  BOOST_TEST(error.message() == "no such file or folder");
  BOOST_TEST(error.hint() == "");
}

BOOST_AUTO_TEST_CASE(refuses_an_empty_folder) {
  const TemporaryFolder folder;
  const Error error = refused(folder.path());
  BOOST_TEST((error.kind() == ErrorKind::kCheckpoint));
  BOOST_TEST(error.message() == "the folder is empty");
}

BOOST_AUTO_TEST_CASE(lists_what_a_folder_without_weights_holds) {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"})
    folder.write(name, "");
  BOOST_TEST(refused(folder.path()).message() ==
             "no weights in the folder: found a, b, c, d, e, f, g, h and 2 more; need "
             "model.safetensors or model.safetensors.index.json");
}

BOOST_AUTO_TEST_CASE(opens_a_folder_with_a_file_of_torch) {
  const TemporaryFolder folder;
  folder.write("pytorch_model.bin", one_pickled("a", "AAAA"));
  folder.write("training_args.bin", "not read");
  const auto checkpoint = Checkpoint::open(folder.path());
  BOOST_TEST(content(*checkpoint, "a") == "AAAA");
  BOOST_TEST(text_of_problems(*checkpoint) == "");
  BOOST_TEST(checkpoint->files().at(0).header_bytes == checkpoint->files().at(0).size - 4);
}

BOOST_AUTO_TEST_CASE(opens_one_file_of_torch_under_any_of_its_endings) {
  const TemporaryFolder folder;
  for (const char* name : {"a.bin", "a.pt", "a.pth", "a.ckpt"}) {
    const auto checkpoint = Checkpoint::open(folder.write(name, one_pickled("a", "xyz")));
    BOOST_TEST(content(*checkpoint, "a") == "xyz", name);
  }
}

BOOST_AUTO_TEST_CASE(opens_a_folder_with_shards_of_torch) {
  const TemporaryFolder folder;
  folder.write("pytorch_model-00001-of-00002.bin", one_pickled("a", "AAAA"));
  folder.write("pytorch_model-00002-of-00002.bin", one_pickled("b", "BB"));
  folder.write("pytorch_model.bin.index.json",
               R"({"metadata":{"total_size":6},"weight_map":{
    "a":"pytorch_model-00001-of-00002.bin","b":"pytorch_model-00002-of-00002.bin"}})");
  const auto checkpoint = Checkpoint::open(folder.path());
  BOOST_TEST(text_of_problems(*checkpoint) == "");
  BOOST_TEST(content(*checkpoint, "b") == "BB");
}

BOOST_AUTO_TEST_CASE(prefers_safetensors_as_transformers_does) {
  const TemporaryFolder folder;
  folder.write("pytorch_model.bin", one_pickled("pickled", "P"));
  write_two_shards(folder, kGoodIndex);
  const auto checkpoint = Checkpoint::open(folder.path());
  BOOST_TEST(checkpoint->find("pickled") == nullptr);
  BOOST_TEST(text_of_problems(*checkpoint) == "");
}

BOOST_AUTO_TEST_CASE(prefers_a_file_of_torch_to_safetensors_of_another_name) {
  const TemporaryFolder folder;
  folder.write("pytorch_model.bin", one_pickled("pickled", "P"));
  folder.write("adapter.safetensors", one_tensor("a", "A"));
  BOOST_TEST(Checkpoint::open(folder.path())->find("pickled") != nullptr);
}

BOOST_AUTO_TEST_CASE(takes_the_size_of_shared_tensors_once_or_each) {
  const TemporaryFolder folder;
  folder.write("pytorch_model-00001-of-00001.bin",
               torch_archive(pickled_dictionary(pickled_bytes("a", 4) + pickled_bytes("tied", 4)),
                             {"AAAA"}));
  const auto problems_of = [&](int total) {
    folder.write("pytorch_model.bin.index.json",
                 R"({"metadata":{"total_size":)" + std::to_string(total) +
                     R"(},"weight_map":{"a":"pytorch_model-00001-of-00001.bin",
                        "tied":"pytorch_model-00001-of-00001.bin"}})");
    return text_of_problems(*Checkpoint::open(folder.path()));
  };
  BOOST_TEST(problems_of(4) == "");
  BOOST_TEST(problems_of(8) == "");
  BOOST_TEST(problems_of(6) == "total_size : 6, wanted 8\n");
}

BOOST_AUTO_TEST_CASE(refuses_a_shard_of_another_container) {
  const TemporaryFolder folder;
  folder.write("pytorch_model.bin.index.json", R"({"weight_map":{"a":"a.safetensors"}})");
  BOOST_TEST(has(refused(folder.path()).message(), "is not a .bin file"));
}

BOOST_AUTO_TEST_CASE(does_not_take_any_pickle_of_a_folder_for_the_weights) {
  const TemporaryFolder folder;
  folder.write("config.json", "{}");
  folder.write("training_args.bin", one_pickled("a", "A"));
  const Error error = refused(folder.path());
  BOOST_TEST((error.kind() == ErrorKind::kUnsupported));
  BOOST_TEST(error.message() ==
             "found 'training_args.bin', need safetensors: of a folder's pickles, only "
             "pytorch_model.bin and its index are read");
  BOOST_TEST(has(error.hint(), "save_pretrained"));
}

BOOST_AUTO_TEST_CASE(does_not_take_a_pickle_for_safetensors_nor_the_reverse) {
  const TemporaryFolder folder;
  BOOST_TEST(has(refused(folder.write("m.safetensors", one_pickled("a", "A"))).hint(),
                 "a name that ends in .bin"));
  BOOST_TEST(has(refused(folder.write("m.bin", one_tensor("a", "A"))).message(),
                 "need the zip archive of torch.save"));
}

BOOST_AUTO_TEST_CASE(points_into_an_entry_of_the_hub_cache) {
  const TemporaryFolder folder;
  folder.write("snapshots/abc/config.json", "{}");
  BOOST_TEST(has(refused(folder.path()).hint(), "snapshots/"));
}

BOOST_AUTO_TEST_CASE(refuses_an_index_for_a_checkpoint) {
  const TemporaryFolder folder;
  const Error error = refused(folder.write("model.safetensors.index.json", "{}"));
  BOOST_TEST(error.message() == "found a file, need a model folder or a .safetensors file");
  BOOST_TEST(error.hint() == "give the folder that holds it");
}

BOOST_AUTO_TEST_CASE(reports_a_folder_that_may_not_be_listed) {
  const TemporaryFolder folder;
  folder.write("model.safetensors", one_tensor("a", "A"));
  BOOST_REQUIRE(::chmod(folder.path().c_str(), 0) == 0);
  const Error error = refusal([&] {
    const Unprivileged user;
    Checkpoint::open(folder.path());
  });
  ::chmod(folder.path().c_str(), 0700);
  BOOST_TEST((error.kind() == ErrorKind::kIo));
  BOOST_TEST(error.message() == "cannot list the folder: permission denied");
  BOOST_TEST(error.where() == folder.path());
}

BOOST_AUTO_TEST_CASE(reports_a_path_through_a_folder_that_may_not_be_entered) {
  const TemporaryFolder folder;
  folder.write("closed/model.safetensors", one_tensor("a", "A"));
  BOOST_REQUIRE(::chmod((folder / "closed").c_str(), 0) == 0);
  const Error error = refusal([&] {
    const Unprivileged user;
    Checkpoint::open(folder / "closed/model.safetensors");
  });
  ::chmod((folder / "closed").c_str(), 0700);
  BOOST_TEST(error.message() == "cannot open: permission denied");
}

BOOST_AUTO_TEST_CASE(refuses_a_device_for_a_checkpoint) {
  BOOST_TEST(refused("/dev/null").message() == "found a device, need a regular file");
}

BOOST_AUTO_TEST_CASE(refuses_a_checkpoint_without_tensors) {
  const TemporaryFolder folder;
  const Error error = refused(folder.write("m.safetensors", safetensors("{}")));
  BOOST_TEST((error.kind() == ErrorKind::kCheckpoint));
  BOOST_TEST(error.message() == "the file holds no tensors");
}

BOOST_AUTO_TEST_CASE(names_the_first_of_many_shards_whose_header_is_refused) {
  const TemporaryFolder folder;
  std::string map;
  for (int i = 10; i < 90; ++i) {
    const std::string number = std::to_string(i);
    folder.write(number + ".safetensors", i % 30 == 7 ? "" : one_tensor("t" + number, "A"));
    map += (map.empty() ? "\"t" : ",\"t") + number + "\":\"" + number + ".safetensors\"";
  }
  folder.write(kIndex, "{\"weight_map\":{" + map + "}}");
  BOOST_TEST(refused(folder.path()).where() == (folder / "37.safetensors") + ", byte 0");
  for (const char* name : {"37.safetensors", "67.safetensors"}) {
    folder.write(name, one_tensor("t" + std::string(name).substr(0, 2), "B"));
  }
  const auto checkpoint = Checkpoint::open(folder.path());
  BOOST_TEST(text_of_problems(*checkpoint) == "");
  BOOST_TEST(content(*checkpoint, "t37") == "B");
  BOOST_TEST(checkpoint->files().at(79).path == folder / "89.safetensors");
}

BOOST_AUTO_TEST_CASE(names_the_shard_whose_header_is_refused) {
  const TemporaryFolder folder;
  write_two_shards(folder, kGoodIndex);
  folder.write(kSecond, "");
  BOOST_TEST(refused(folder.path()).where() == (folder / kSecond) + ", byte 0");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
