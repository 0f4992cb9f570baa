#include "engine/checkpoint/tensor_hashes.h"

#include <boost/test/unit_test.hpp>

#include "engine/core/sha256.h"
#include "tests/support/refusal.h"
#include "tests/support/safetensors_bytes.h"
#include "tests/support/temporary_folder.h"

namespace qspec::test {
namespace {

constexpr size_t kLong = (1u << 20) + 17;  // several pieces and a part of one

// Three tensors: "long" of several pieces, "short", and "none" without a byte.
struct Fixture {
  Fixture() {
    for (size_t i = 0; i < kLong; ++i) long_bytes += static_cast<char>(i * 131 >> 3);
    const std::string shape = "[" + std::to_string(kLong) + "]";
    const std::string header = "{" + entry("long", "U8", shape, 0, kLong) + "," +
                               entry("short", "U8", "[2]", kLong, kLong + 2) + "," +
                               entry("none", "U8", "[0]", kLong + 2, kLong + 2) + "}";
    path = folder.write("m.safetensors", safetensors(header, long_bytes + "AB"));
    checkpoint = Checkpoint::open(path);
  }

  std::vector<std::string> hashes(const std::vector<std::string>& names) const {
    std::vector<const TensorEntry*> entries;
    for (const std::string& name : names) entries.push_back(checkpoint->find(name));
    return hash_tensors(*checkpoint, entries);
  }

  TemporaryFolder folder;
  std::string long_bytes, path;
  std::shared_ptr<Checkpoint> checkpoint;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tensor_hashes_tests, Fixture)

BOOST_AUTO_TEST_CASE(are_those_of_the_bytes_in_the_order_asked_for) {
  const std::vector<std::string> found = hashes({"none", "long", "short", "long"});
  const std::vector<std::string> wanted = {sha256_hex(""), sha256_hex(long_bytes), sha256_hex("AB"),
                                           sha256_hex(long_bytes)};
  BOOST_TEST(found == wanted, boost::test_tools::per_element());
  BOOST_TEST(hashes({}).empty());
}

BOOST_AUTO_TEST_CASE(are_of_what_an_overlay_holds) {
  const auto overlay = Overlay::over(checkpoint);
  overlay->put("short", Dtype::kU8, {1}, {std::byte{'Z'}});
  const TensorEntry* entry = overlay->find("short");
  BOOST_TEST(hash_tensors(*overlay, std::span(&entry, 1)).front() == sha256_hex("Z"));
}

BOOST_AUTO_TEST_CASE(of_a_file_that_was_cut_meanwhile_are_an_error) {
  folder.write("m.safetensors", "");
  BOOST_CHECK(refusal([&] { hashes({"short", "long"}); }).kind() == ErrorKind::kIo);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
