#include "engine/checkpoint/torch_archive.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/memory_bytes.h"
#include "tests/support/pickle_bytes.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"

namespace qspec::test {
namespace {

using std::string_literals::operator""s;

FileHeader read(const std::string& file) {
  return read_torch_archive(MemoryBytes(file, "pytorch_model.bin"));
}

Error refused(const std::string& file) {
  return refusal([&] { read(file); });
}

// A tensor of the float storage 0, which has four elements.
std::string named(std::string_view name, uint64_t offset, const std::vector<uint64_t>& shape,
                  const std::vector<uint64_t>& strides) {
  return pickled_text(name) +
         pickled_tensor(pickled_storage("FloatStorage", "0", 4), offset, shape, strides);
}

const std::string kFloats = "0123456789abcdef";

std::string archive(const std::string& members) {
  return torch_archive(pickled_dictionary(members), {kFloats});
}

Error refused_members(const std::string& members) {
  return refused(archive(members));
}

std::string content(const std::string& file, const TensorEntry& entry) {
  return file.substr(entry.offset, entry.bytes);
}

// An archive of these members and a pickle of an empty dictionary.
std::string with_members(const std::vector<ZipPart>& more, std::string_view pickle = "m/data.pkl") {
  std::vector<ZipPart> parts = {ZipPart(std::string(pickle), pickled_dictionary(""))};
  parts.insert(parts.end(), more.begin(), more.end());
  return zip(parts);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(torch_archive_tests)

BOOST_AUTO_TEST_CASE(reads_names_dtypes_shapes_and_places) {
  const std::string file = archive(named("w", 0, {2, 2}, {2, 1}));
  const FileHeader header = read(file);
  BOOST_TEST(header.tensors.size() == 1u);
  const TensorEntry& w = header.tensors.at(0);
  BOOST_TEST(w.name == "w");
  BOOST_TEST((w.dtype == Dtype::kF32));
  BOOST_TEST(w.shape == (std::vector<uint64_t>{2, 2}), boost::test_tools::per_element());
  BOOST_TEST(content(file, w) == kFloats);
  BOOST_TEST(header.bytes == file.size() - kFloats.size());
  BOOST_TEST(header.problems.empty());
}

BOOST_AUTO_TEST_CASE(reads_a_state_dict_that_torch_wrote) {
  const std::string file = text_of(QSPEC_SOURCE_DIR "/tests/fuzz/corpus/torch_archive/state_dict");
  const FileHeader header = read(file);
  BOOST_TEST(header.tensors.size() == 3u);
  BOOST_TEST(header.tensors.at(0).name == "a");
  BOOST_TEST(content(file, header.tensors.at(0)) ==
             "\0\0\0\0\0\0\x80?\0\0\0@\0\0@@"s);  // 0, 1, 2, 3
  BOOST_TEST((header.tensors.at(1).dtype == Dtype::kBF16));
  BOOST_TEST(header.tensors.at(1).offset == header.tensors.at(2).offset);
}

BOOST_AUTO_TEST_CASE(counts_pairs_of_four_bits_as_two_elements) {
  const FileHeader header =
      read(text_of(QSPEC_SOURCE_DIR "/tests/fuzz/corpus/torch_archive/float8"));
  BOOST_TEST((header.tensors.at(1).dtype == Dtype::kF4));
  BOOST_TEST(header.tensors.at(1).shape.at(0) == 4u);
  BOOST_TEST(header.tensors.at(1).bytes == 2u);
}

BOOST_AUTO_TEST_CASE(reads_tensors_that_share_a_storage_in_the_order_of_the_file) {
  const std::string file = archive(named("late", 2, {2}, {1}) + named("whole", 0, {4}, {1}) +
                                   named("tied", 0, {4}, {1}));
  const FileHeader header = read(file);
  BOOST_TEST(header.tensors.at(0).name == "tied");
  BOOST_TEST(header.tensors.at(1).name == "whole");
  BOOST_TEST(content(file, header.tensors.at(2)) == "89abcdef");
  BOOST_TEST(header.bytes == file.size() - kFloats.size());
}

BOOST_AUTO_TEST_CASE(reads_the_64_bit_fields_of_an_archive) {
  const std::string file =
      torch_archive(pickled_dictionary(named("w", 0, {4}, {1})), {kFloats}, true);
  BOOST_TEST(content(file, read(file).tensors.at(0)) == kFloats);
}

BOOST_AUTO_TEST_CASE(ignores_strides_that_no_element_needs) {
  BOOST_TEST(read(archive(named("w", 0, {1, 4, 1}, {99, 1, 7}))).tensors.at(0).bytes == 16u);
  BOOST_TEST(read(archive(named("w", 0, {0, 4}, {9, 9}))).tensors.at(0).bytes == 0u);
  BOOST_TEST(read(archive(named("w", 3, {}, {}))).tensors.at(0).bytes == 4u);
}

BOOST_AUTO_TEST_CASE(lets_a_tensor_without_elements_begin_past_its_storage) {
  const std::string file = archive(named("w", 50, {0}, {1}));
  BOOST_TEST(read(file).tensors.at(0).offset < file.size());
}

BOOST_AUTO_TEST_CASE(refuses_a_transposed_and_an_expanded_tensor_by_name) {
  const Error error = refused_members(named("w.t", 0, {2, 2}, {1, 2}));
  BOOST_TEST((error.kind() == ErrorKind::kUnsupported));
  BOOST_TEST(error.message() ==
             "tensor 'w.t' has stride 2 in dimension 1, need 1: its elements do not lie one after "
             "the other");
  BOOST_TEST(has(error.hint(), "contiguous()"));
  BOOST_TEST(has(refused_members(named("w", 0, {1u << 30}, {0})).message(), "has stride 0"));
}

BOOST_AUTO_TEST_CASE(refuses_a_tensor_past_its_storage) {
  BOOST_TEST(refused_members(named("w", 0, {5}, {1})).message() ==
             "tensor 'w' has 20 bytes from element 0 on, its storage has 16");
  BOOST_TEST(has(refused_members(named("w", 1, {4}, {1})).message(), "16 bytes from element 1 on"));
  BOOST_TEST(has(refused_members(named("w", 9, {1}, {1})).message(), "4 bytes from element 9 on"));
}

BOOST_AUTO_TEST_CASE(refuses_a_shape_that_overflows) {
  const uint64_t far = uint64_t{1} << 30;
  const Error error = refused_members(named("w", 0, {far, far, far}, {far, far, 1}));
  BOOST_TEST(has(error.message(), "tensor 'w' has stride 1073741824 in dimension 0"));
  const std::string huge = "\x8A\x08" + little(uint64_t{1} << 62, 8);
  const std::string tensor = pickled_name("torch._utils", "_rebuild_tensor_v2") + "(" +
                             pickled_storage("FloatStorage", "0", 4) + pickled_integer(0) + "(" +
                             huge + huge + "t(" + huge + "K\1t\x89" + kNoHooks + "tR";
  BOOST_TEST(has(refused_members(pickled_text("w") + tensor).message(), "overflows 64 bits"));
}

BOOST_AUTO_TEST_CASE(refuses_a_storage_of_another_size_than_the_pickle_says) {
  const std::string tensor =
      pickled_text("w") + pickled_tensor(pickled_storage("FloatStorage", "0", 5), 0, {4}, {1});
  const Error error = refused_members(tensor);
  BOOST_TEST(error.message() ==
             "storage '0' of tensor 'w' has 16 bytes, the pickle says 5 elements of float32");
}

BOOST_AUTO_TEST_CASE(refuses_a_storage_that_is_not_there) {
  const std::string tensor =
      pickled_text("w") + pickled_tensor(pickled_storage("FloatStorage", "7", 4), 0, {4}, {1});
  BOOST_TEST(refused_members(tensor).message() ==
             "storage '7' of tensor 'w' is not in the archive");
}

BOOST_AUTO_TEST_CASE(refuses_a_name_that_occurs_twice) {
  BOOST_TEST(refused_members(named("w", 0, {4}, {1}) + named("w", 0, {4}, {1})).message() ==
             "the name 'w' occurs twice");
}

BOOST_AUTO_TEST_CASE(refuses_names_that_are_none) {
  const std::string tensor = pickled_tensor(pickled_storage("FloatStorage", "0", 4), 0, {4}, {1});
  BOOST_TEST(refused_members("K\1" + tensor).message() ==
             "a tensor's name is the whole number 1, need a text");
  BOOST_TEST(refused_members(pickled_text("") + tensor).message() == "a tensor has an empty name");
  BOOST_TEST(has(refused_members(pickled_text("a\0b"s) + tensor).message(), "has a NUL"));
  BOOST_TEST(has(refused_members(pickled_text(std::string(4097, 'n')) + tensor).message(),
                 "4097 bytes, the limit is 4096"));
}

BOOST_AUTO_TEST_CASE(reports_values_that_are_no_tensors) {
  const FileHeader header =
      read(archive(named("w", 0, {4}, {1}) + pickled_text("epoch") + pickled_integer(3)));
  BOOST_TEST(header.tensors.size() == 1u);
  BOOST_TEST(header.problems.size() == 1u);
  BOOST_TEST(header.problems.at(0).kind == "no_tensor");
  BOOST_TEST(header.problems.at(0).key == "epoch");
  BOOST_TEST(header.problems.at(0).found == "the whole number 3");
}

BOOST_AUTO_TEST_CASE(refuses_a_dictionary_within_the_dictionary_and_says_what_to_do) {
  const Error error =
      refused_members(pickled_text("epoch") + pickled_integer(3) + pickled_text("state_dict") +
                      "}(" + named("w", 0, {4}, {1}) + "u");
  BOOST_TEST((error.kind() == ErrorKind::kUnsupported));
  BOOST_TEST(error.message() ==
             "the file holds no tensor at its top: 'state_dict' is a dictionary");
  BOOST_TEST(has(error.hint(), "torch.load(FILE)['state_dict']"));
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_dictionary) {
  BOOST_TEST(refused(torch_archive(std::string(kPickleBegin) + "].", {})).message() ==
             "the file holds a list, need a dictionary of tensors");
}

BOOST_AUTO_TEST_CASE(reports_a_storage_that_nothing_refers_to) {
  const FileHeader header = read(
      torch_archive(pickled_dictionary(named("w", 0, {4}, {1})), {kFloats, std::string(9, 'x')}));
  BOOST_TEST(header.problems.size() == 1u);
  BOOST_TEST(header.problems.at(0).kind == "unused");
  BOOST_TEST(header.problems.at(0).key == "m/data/1");
  BOOST_TEST(header.problems.at(0).found == "9 bytes of no tensor");
}

BOOST_AUTO_TEST_CASE(places_a_refusal_at_its_byte_of_the_file) {
  const std::string file =
      torch_archive(std::string(kPickleBegin) + pickled_name("os", "system") + ".", {});
  const Error error = refused(file);
  BOOST_TEST(has(error.message(), "'os.system'"));
  BOOST_TEST(error.where() ==
             "pytorch_model.bin, byte " + std::to_string(file.find("cos\nsystem")));
}

BOOST_AUTO_TEST_CASE(refuses_a_pickle_whose_checksum_is_wrong) {
  std::string file = archive(named("w", 0, {4}, {1}));
  file[file.find("cpu")] = 'C';
  BOOST_TEST(has(refused(file).message(), "member 'm/data.pkl' has the checksum"));
}

BOOST_AUTO_TEST_CASE(refuses_other_byte_orders) {
  BOOST_TEST(
      (refused(with_members({ZipPart("m/byteorder", "big")})).kind() == ErrorKind::kUnsupported));
  const Error error = refused(with_members({ZipPart("m/byteorder", "middle")}));
  BOOST_TEST((error.kind() == ErrorKind::kCheckpoint));
  BOOST_TEST(error.message() == "byte order 'middle', need 'little'");
}

BOOST_AUTO_TEST_CASE(reads_the_archives_of_older_versions_of_torch) {
  BOOST_TEST(read(with_members({ZipPart("m/version", "3\n")})).tensors.empty());
}

BOOST_AUTO_TEST_CASE(refuses_an_archive_without_a_pickle) {
  BOOST_TEST(has(refused(zip({ZipPart("m/model.json", "{}")})).message(), "has no data.pkl"));
}

BOOST_AUTO_TEST_CASE(refuses_two_folders) {
  BOOST_TEST(refused(with_members({ZipPart("n/data.pkl", "")})).message() ==
             "the zip archive has two folders, 'm/' and 'n/', need one");
  BOOST_TEST(has(refused(with_members({ZipPart("data.pkl", "")})).message(), "two folders"));
}

BOOST_AUTO_TEST_CASE(refuses_torchscript_because_it_holds_code) {
  for (const char* name : {"m/code/__torch__.py", "m/constants.pkl"}) {
    const Error error = refused(with_members({ZipPart(name, "x")}));
    BOOST_TEST((error.kind() == ErrorKind::kUnsupported));
    BOOST_TEST(has(error.message(), "it is a TorchScript program"));
  }
}

BOOST_AUTO_TEST_CASE(names_the_forms_that_are_not_read) {
  const std::string old = "\x80\x02\x8A\x0Al\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19."s;
  BOOST_TEST(has(refused(old).message(), "torch before 1.6"));
  BOOST_TEST(has(refused(std::string(257, '\0') + "ustar").message(), "a tar archive"));
  BOOST_TEST(has(refused("\x80\x02}.").message(), "a bare pickle"));
  for (const std::string& file : {old, "\x80\x04}."s}) {
    const Error error = refused(file);
    BOOST_TEST((error.kind() == ErrorKind::kUnsupported));
    BOOST_TEST(has(error.hint(), "where the file is trusted"));
    BOOST_TEST(error.where() == "pytorch_model.bin, byte 0");
  }
}

BOOST_AUTO_TEST_CASE(says_what_another_file_is) {
  BOOST_TEST(has(refused("version https://git-lfs.github.com/spec/v1").hint(), "git lfs pull"));
  BOOST_TEST(refused("").message() ==
             "the file begins with '', need the zip archive of torch.save");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
