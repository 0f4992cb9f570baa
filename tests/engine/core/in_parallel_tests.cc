#include "engine/core/in_parallel.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "tests/support/refusal.h"

namespace qspec::test {

BOOST_AUTO_TEST_SUITE(in_parallel_tests)

BOOST_AUTO_TEST_CASE(calls_each_number_once) {
  for (const size_t count : {0u, 1u, 15u, 1000u}) {
    std::vector<std::atomic<int>> calls(count);
    in_parallel(count, [&](size_t i) { ++calls[i]; });
    for (const std::atomic<int>& number : calls) BOOST_TEST(number == 1);
  }
}

BOOST_AUTO_TEST_CASE(calls_each_number_once_when_few_calls_are_worth_a_thread) {
  for (const size_t count : {0u, 1u, 2u, 7u}) {
    std::vector<std::atomic<int>> calls(count);
    in_parallel(
        count, [&](size_t i) { ++calls[i]; }, 1);
    for (const std::atomic<int>& number : calls) BOOST_TEST(number == 1);
  }
}

BOOST_AUTO_TEST_CASE(throws_what_the_first_by_number_threw) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<bool> later_has_failed = false;
    const Error error = refusal([&] {
      in_parallel(200, [&](size_t i) {
        if (i != 30 && i != 33) return;
        // Not before the other one, when that runs on another thread.
        for (int wait = 0; i == 30 && !later_has_failed && wait < 10'000; ++wait) continue;
        if (i == 33) later_has_failed = true;
        throw Error(ErrorKind::kCheckpoint, "number " + std::to_string(i));
      });
    });
    BOOST_TEST(error.message() == "number 30");
  }
}

BOOST_AUTO_TEST_CASE(begins_no_more_after_a_failure) {
  std::atomic<size_t> calls = 0;
  refusal([&] {
    in_parallel(1'000'000, [&](size_t) {
      ++calls;
      throw Error(ErrorKind::kCheckpoint, "every one");
    });
  });
  BOOST_TEST(calls < 100u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
