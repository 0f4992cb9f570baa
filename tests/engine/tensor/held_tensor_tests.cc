#include "engine/tensor/held_tensor.h"

#include <ATen/ops/arange.h>

#include <boost/test/unit_test.hpp>

#include "engine/tensor/stored_tensor.h"
#include "tests/support/safetensors_bytes.h"
#include "tests/support/temporary_folder.h"

namespace qspec::test {
namespace {

struct Fixture {
  Fixture() {
    const std::string header = "{" + entry("a", "U8", "[2]", 0, 2) + "}";
    const auto base = Checkpoint::open(folder.write("m.safetensors", safetensors(header, "AB")));
    overlay = Overlay::over(base);
  }

  TemporaryFolder folder;
  std::shared_ptr<Overlay> overlay;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(held_tensor_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_tensor_that_was_stored_comes_back_without_a_copy) {
  const at::Tensor stored = at::arange(6, at::kFloat).view({2, 3});
  store_tensor(*overlay, "s", stored);
  const at::Tensor read = read_tensor(*overlay, "s");
  BOOST_TEST(read.const_data_ptr() == stored.const_data_ptr());
  BOOST_TEST((read.sizes() == stored.sizes()));
}

BOOST_AUTO_TEST_CASE(a_tensor_that_is_not_contiguous_is_stored_in_the_order_of_its_elements) {
  store_tensor(*overlay, "t", at::arange(6, at::kFloat).view({2, 3}).t());
  const at::Tensor read = read_tensor(*overlay, "t");
  BOOST_TEST(read.equal(at::arange(6, at::kFloat).view({2, 3}).t()));
  BOOST_TEST(read.is_contiguous());
}

BOOST_AUTO_TEST_CASE(its_bytes_are_read_at_any_position) {
  store_tensor(*overlay, "s", at::arange(4, at::kInt));
  std::array<std::byte, 5> part{};
  overlay->read(*overlay->find("s"), 7, part);  // the last byte of 1, and 2
  BOOST_TEST(std::to_integer<int>(part[0]) == 0);
  BOOST_TEST(std::to_integer<int>(part[1]) == 2);
  BOOST_TEST(std::to_integer<int>(part[4]) == 0);
}

BOOST_AUTO_TEST_CASE(what_no_upload_brings_is_not_taken_from_one) {
  bool asked = false;
  const auto make_room = [&] { asked = true; };
  BOOST_TEST(!take_uploaded(*overlay, "a", make_room).has_value());
  BOOST_TEST(!asked);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
