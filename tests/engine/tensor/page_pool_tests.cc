#include "engine/tensor/page_pool.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstring>

#include "engine/tensor/sizes.h"
#include "tests/engine/tensor/tensors.h"
#include "tests/support/refusal.h"

namespace qspec {
namespace {

constexpr size_t kMiB = 1 << 20;

}  // namespace

BOOST_AUTO_TEST_SUITE(page_pool_tests)

BOOST_AUTO_TEST_CASE(pages_begin_at_a_huge_page_and_can_be_written_to_their_end) {
  const Pages pages = take_pages(5 * kMiB + 1);
  BOOST_TEST(pages.bytes == 6 * kMiB);
  BOOST_TEST(reinterpret_cast<uintptr_t>(pages.memory) % (2 * kMiB) == 0);
  std::memset(pages.memory, 1, pages.bytes);
  give_back_pages(pages);
}

BOOST_AUTO_TEST_CASE(pages_given_back_serve_the_next_tensor_of_that_size) {
  const Pages first = take_pages(20 * kMiB);
  give_back_pages(first);
  const Pages second = take_pages(20 * kMiB);
  BOOST_TEST(second.memory == first.memory);
  give_back_pages(second);
}

BOOST_AUTO_TEST_CASE(pages_in_use_are_not_given_twice) {
  const Pages first = take_pages(8 * kMiB), second = take_pages(8 * kMiB);
  BOOST_TEST(first.memory != second.memory);
  give_back_pages(first);
  give_back_pages(second);
}

BOOST_AUTO_TEST_CASE(much_larger_pages_are_not_spent_on_a_small_tensor) {
  const Pages large = take_pages(64 * kMiB);
  give_back_pages(large);
  const Pages small = take_pages(34 * kMiB);
  BOOST_TEST(small.memory != large.memory);
  give_back_pages(small);
}

BOOST_AUTO_TEST_CASE(a_request_beyond_the_address_space_is_an_error) {
  BOOST_TEST((test::refusal([] { take_pages(size_t{1} << 60); }).kind() == ErrorKind::kDevice));
}

BOOST_AUTO_TEST_CASE(a_large_tensor_gives_its_pages_back) {
  const void* memory = empty_tensor({3, 1 << 20}, at::kFloat).data_ptr();
  const at::Tensor next = empty_tensor({3 << 20}, at::kFloat);
  BOOST_TEST(next.data_ptr() == memory);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
