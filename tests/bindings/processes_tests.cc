#include "bindings/host/processes.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <stdexcept>
#include <thread>

#include "tests/support/temporary_folder.h"

namespace qspec::lua {
namespace {

std::vector<std::string> shell(const std::string& script) {
  return {"/bin/sh", "-c", script};
}

bool is_there(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(processes_tests)

BOOST_AUTO_TEST_CASE(gives_every_line_to_its_command_and_the_last_one_too) {
  std::vector<std::string> lines(2);
  const auto ended = run_together(
      {shell("echo a; sleep 0.05; echo; echo b"), shell("echo c")},
      [&](size_t number, std::string_view line) { lines[number] += std::string(line) + "|"; });
  BOOST_TEST(lines[0] == "a||b|");
  BOOST_TEST(lines[1] == "c|");
  BOOST_TEST(ended.size() == 2u);
}

BOOST_AUTO_TEST_CASE(takes_lines_longer_than_a_pipe_holds) {
  size_t length = 0;
  run_together({shell("head -c 300000 /dev/zero | tr '\\0' x; echo")},
               [&](size_t, std::string_view line) { length += line.size(); });
  BOOST_TEST(length == 300'000u);
}

BOOST_AUTO_TEST_CASE(says_how_each_ended) {
  const auto ended = run_together({shell("exit 3"), shell("kill -9 $$"), {"/no/such/program"}},
                                  [](size_t, std::string_view) {});
  BOOST_TEST(ended[0].code == 3);
  BOOST_TEST(ended[1].signal == SIGKILL);
  BOOST_TEST(ended[2].code == 127);
}

BOOST_AUTO_TEST_CASE(gives_them_nothing_to_read) {
  std::string said;
  run_together({shell("read line || echo end")},
               [&](size_t, std::string_view line) { said = line; });
  BOOST_TEST(said == "end");
}

BOOST_AUTO_TEST_CASE(ends_those_that_run_when_the_caller_throws) {
  const test::TemporaryFolder folder;
  const std::string late = folder.path() + "/late";
  BOOST_CHECK_THROW(run_together({shell("echo go; sleep 0.3; touch " + late)},
                                 [](size_t, std::string_view) { throw std::logic_error("no"); }),
                    std::logic_error);
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  BOOST_TEST(!is_there(late));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::lua
