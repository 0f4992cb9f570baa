// The counting allocator.

#include "bindings/host/memory.h"

#include <boost/test/unit_test.hpp>

namespace qspec::lua {

BOOST_AUTO_TEST_SUITE(memory_tests)

BOOST_AUTO_TEST_CASE(counts_what_is_in_use) {
  Memory memory;
  void* block = memory.allocate(nullptr, 0, 100);
  BOOST_TEST(memory.used() == 100u);
  block = memory.allocate(block, 100, 40);
  BOOST_TEST(memory.used() == 40u);
  block = memory.allocate(block, 40, 400);
  BOOST_TEST(memory.used() == 400u);
  memory.allocate(block, 400, 0);
  BOOST_TEST(memory.used() == 0u);
}

BOOST_AUTO_TEST_CASE(refuses_what_passes_the_limit_and_remembers_it) {
  Memory memory;
  memory.set_limit(100);
  void* block = memory.allocate(nullptr, 0, 100);
  BOOST_TEST(!memory.refused());
  memory.set_limit(99);
  BOOST_TEST(memory.allocate(block, 100, size_t{1} << 40) == nullptr);
  BOOST_TEST(memory.refused());
  BOOST_TEST(memory.used() == 100u);
  memory.allocate(block, 100, 0);
}

BOOST_AUTO_TEST_CASE(a_block_that_shrinks_is_never_refused) {
  Memory memory;
  void* block = memory.allocate(nullptr, 0, 100);
  memory.set_limit(10);
  block = memory.allocate(block, 100, 50);
  BOOST_TEST(block != nullptr);
  memory.allocate(block, 50, 0);
}

BOOST_AUTO_TEST_CASE(after_a_refusal_a_reserve_is_left_for_the_error) {
  Memory memory;
  memory.set_limit(100);
  BOOST_TEST(memory.allocate(nullptr, 0, 200) == nullptr);
  void* block = memory.allocate(nullptr, 0, 200);
  BOOST_TEST(block != nullptr);
  BOOST_TEST(memory.allocate(nullptr, 0, 2u << 20) == nullptr);
  memory.allocate(block, 200, 0);
}

BOOST_AUTO_TEST_CASE(a_request_that_would_wrap_around_is_refused) {
  Memory memory;
  void* block = memory.allocate(nullptr, 0, 100);
  memory.set_limit(1000);
  BOOST_TEST(memory.allocate(nullptr, 0, SIZE_MAX - 50) == nullptr);
  memory.allocate(block, 100, 0);
}

BOOST_AUTO_TEST_CASE(only_large_requests_ask_for_permission) {
  Memory memory;
  int asked = 0;
  const auto refuse = [](void* count) { return ++*static_cast<int*>(count) == 0; };
  memory.set_permission(refuse, &asked);
  void* block = memory.allocate(nullptr, 0, 1000);
  BOOST_TEST(block != nullptr);
  BOOST_TEST(asked == 0);
  BOOST_TEST(memory.allocate(nullptr, 0, 1u << 20) == nullptr);
  BOOST_TEST(asked == 1);
  memory.allocate(block, 1000, 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::lua
