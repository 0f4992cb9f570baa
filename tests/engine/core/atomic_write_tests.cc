#include "engine/core/atomic_write.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <thread>

#include "engine/core/file.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/unprivileged.h"

namespace qspec::test {
namespace {

size_t entries(const TemporaryFolder& folder) {
  using Iterator = std::filesystem::directory_iterator;
  return static_cast<size_t>(std::distance(Iterator(folder.path()), Iterator()));
}

// While it lives, writing past `bytes` of a file fails as it does on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_ = {};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(atomic_write_tests)

BOOST_AUTO_TEST_CASE(writes_a_new_file_and_leaves_nothing_beside_it) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "report.json", "{}\n");
  BOOST_TEST(text_of(folder / "report.json") == "{}\n");
  BOOST_TEST(entries(folder) == 1u);
}

BOOST_AUTO_TEST_CASE(replaces_a_longer_file_whole) {
  const TemporaryFolder folder;
  const std::string path = folder.write("report.json", "a much longer text");
  write_file_atomically(path, "short");
  BOOST_TEST(text_of(path) == "short");
}

BOOST_AUTO_TEST_CASE(writes_an_empty_text) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "empty", "");
  BOOST_TEST(std::filesystem::file_size(folder / "empty") == 0u);
}

BOOST_AUTO_TEST_CASE(takes_a_name_without_folder_for_one_in_the_working_folder) {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_file_atomically("report", "x");
  std::filesystem::current_path(before);
  BOOST_TEST(text_of(folder / "report") == "x");
}

BOOST_AUTO_TEST_CASE(leaves_the_old_file_whole_when_there_is_no_room) {
  const TemporaryFolder folder;
  const std::string path = folder.write("report.json", "old");
  const std::string text(10'000, 'n');
  const FileSizeLimit limit(4096);
  const Error error = refusal([&] { write_file_atomically(path, text); });
  BOOST_TEST((error.kind() == ErrorKind::kIo));
  BOOST_TEST(error.message() == "cannot write: file too large");
  BOOST_TEST(error.where() == path);
  BOOST_TEST(text_of(path) == "old");
  BOOST_TEST(entries(folder) == 1u);
}

BOOST_AUTO_TEST_CASE(reports_a_folder_that_is_not_there) {
  const TemporaryFolder folder;
  const Error error = refusal([&] { write_file_atomically(folder / "no/report", "x"); });
  BOOST_TEST(error.message() == "cannot write: no such file or directory");
  BOOST_TEST(error.where() == folder / "no/report");
}

BOOST_AUTO_TEST_CASE(refuses_to_replace_a_folder) {
  const TemporaryFolder folder;
  const Error error = refusal([&] { write_file_atomically(folder.path(), "x"); });
  BOOST_TEST(error.message() == "cannot write: the target is a folder");
}

BOOST_AUTO_TEST_CASE(refuses_to_replace_a_pipe) {
  const TemporaryFolder folder;
  BOOST_REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  const Error error = refusal([&] { write_file_atomically(folder / "pipe", "x"); });
  BOOST_TEST(error.message() == "cannot write: the target is not a regular file");
}

BOOST_AUTO_TEST_CASE(reports_a_folder_without_permission) {
  const TemporaryFolder folder;
  BOOST_REQUIRE(::chmod(folder.path().c_str(), 0500) == 0);
  const Error error = refusal([&] {
    const Unprivileged user;
    write_file_atomically(folder / "report", "x");
  });
  ::chmod(folder.path().c_str(), 0700);
  BOOST_TEST(error.message() == "cannot write: permission denied");
  BOOST_TEST(has(error.hint(), "check the permissions"));
}

BOOST_AUTO_TEST_CASE(overwrites_a_temporary_that_a_dead_process_left) {
  const TemporaryFolder folder;
  folder.write(".report." + std::to_string(::getpid()) + ".tmp", "half of a");
  write_file_atomically(folder / "report", "whole");
  BOOST_TEST(text_of(folder / "report") == "whole");
  BOOST_TEST(entries(folder) == 1u);
}

BOOST_AUTO_TEST_CASE(appends_to_a_file_and_makes_it_first) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/log";
  append_to_file(path, "one\n");
  append_to_file(path, "two\n");
  BOOST_TEST(read_text_file(path, 100) == "one\ntwo\n");
}

BOOST_AUTO_TEST_CASE(texts_that_are_appended_at_once_do_not_mix) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/log";
  const auto append = [&](char letter) {
    for (int i = 0; i < 20; ++i) append_to_file(path, std::string(999, letter) + "\n");
  };
  std::jthread other([&] { append('a'); });
  append('b');
  other.join();
  const std::string text = read_text_file(path, 1u << 20);
  BOOST_TEST(text.size() == 40'000u);
  for (size_t i = 0; i < text.size(); i += 1000) {
    const std::string line = text.substr(i, 1000);
    BOOST_TEST(line == std::string(999, line[0]) + "\n");
  }
}

BOOST_AUTO_TEST_CASE(refuses_to_append_where_there_is_no_folder_or_no_file) {
  const TemporaryFolder folder;
  BOOST_TEST(refusal([&] { append_to_file(folder.path(), "x"); }).message() ==
             "cannot write: the target is a folder");
  const Error error = refusal([&] { append_to_file(folder.path() + "/none/log", "x"); });
  BOOST_TEST(error.message() == "cannot write: no such file or directory");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
