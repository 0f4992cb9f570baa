#include "engine/core/sha256.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"

namespace qspec::test {

BOOST_AUTO_TEST_SUITE(sha256_tests)

// Expected values: FIPS 180-4 examples.
BOOST_AUTO_TEST_CASE(agrees_with_the_standard) {
  BOOST_TEST(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  BOOST_TEST(sha256_hex("abc") ==
             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

BOOST_AUTO_TEST_CASE(hashes_a_file_of_several_pieces_like_its_text) {
  const TemporaryFolder folder;
  std::string text((2u << 20) + 17, 'q');
  text[1u << 20] = 'r';
  BOOST_TEST(sha256_file(folder.write("a", text)) == sha256_hex(text));
  BOOST_TEST(sha256_file(folder.write("empty", "")) == sha256_hex(""));
}

BOOST_AUTO_TEST_CASE(takes_bytes_in_pieces_of_any_size) {
  Sha256 hash;
  for (const std::string_view piece : {"", "a", "", "bc"})
    hash.update(std::as_bytes(std::span(piece)));
  BOOST_TEST(hash.hex() == sha256_hex("abc"));
}

BOOST_AUTO_TEST_CASE(of_pieces_is_the_hash_of_their_hashes) {
  const std::string piece(4u << 20, 'q');
  const auto of = [](std::string_view text) {
    return sha256_of_pieces(std::as_bytes(std::span(text)));
  };
  BOOST_TEST(of("") == sha256_hex(""));
  BOOST_TEST(of("abc") == sha256_hex(sha256_hex("abc")));
  BOOST_TEST(of(piece) == sha256_hex(sha256_hex(piece)));
  BOOST_TEST(of(piece + piece + "r") ==
             sha256_hex(sha256_hex(piece) + sha256_hex(piece) + sha256_hex("r")));
}

BOOST_AUTO_TEST_CASE(refuses_a_folder) {
  const TemporaryFolder folder;
  BOOST_TEST(refusal([&] { sha256_file(folder.path()); }).message() ==
             "found a folder, need a regular file");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
