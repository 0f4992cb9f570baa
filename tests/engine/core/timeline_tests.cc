#include "engine/core/timeline.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

namespace qspec::test {
namespace {

Span span_named(const std::string& name) {
  const std::vector<Span> spans = timeline();
  const auto found = std::ranges::find(spans, name, &Span::name);
  BOOST_REQUIRE(found != spans.end());
  return *found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(timeline_tests)

// The clock of a process ticks 100 times a second.
BOOST_AUTO_TEST_CASE(time_counts_from_the_beginning_of_the_process) {
  const double first = seconds_since_start();
  BOOST_TEST(first > -0.02);
  BOOST_TEST(first < 3600);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  BOOST_TEST(seconds_since_start() - first >= 0.002);
}

BOOST_AUTO_TEST_CASE(a_scope_is_a_span_from_its_beginning_to_its_end) {
  const double before = seconds_since_start();
  {
    const Timed timed("scope");
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
  }
  const Span span = span_named("scope");
  BOOST_TEST(span.began >= before);
  BOOST_TEST(span.seconds >= 0.003);
  BOOST_TEST(span.began + span.seconds <= seconds_since_start());
}

BOOST_AUTO_TEST_CASE(spans_of_several_threads_are_all_kept) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([i] { add_span("thread " + std::to_string(i), i, i + 0.5); });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 8; ++i) {
    BOOST_TEST(span_named("thread " + std::to_string(i)).began == i);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
