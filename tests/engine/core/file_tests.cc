#include "engine/core/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/unprivileged.h"

namespace qspec::test {
namespace {

std::string read(const File& file, uint64_t offset, size_t count) {
  std::string text(count, '\0');
  file.read_at(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(file_tests)

BOOST_AUTO_TEST_CASE(reads_at_any_position) {
  const TemporaryFolder folder;
  const auto file = File::open(folder.write("a", "0123456789"));
  BOOST_TEST(file->size() == 10u);
  BOOST_TEST(read(*file, 3, 4) == "3456");
  BOOST_TEST(read(*file, 10, 0) == "");
}

BOOST_AUTO_TEST_CASE(names_the_path_of_a_file_that_is_not_there) {
  const Error error = refusal([] { File::open("/nowhere/at/all"); });
  BOOST_TEST((error.kind() == ErrorKind::kIo));
  BOOST_TEST(error.message() == "cannot open: no such file or directory");
  BOOST_TEST(error.where() == "/nowhere/at/all");
}

BOOST_AUTO_TEST_CASE(refuses_a_pipe_without_waiting_for_a_writer) {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe";
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const Error error = refusal([&] { File::open(pipe); });
  BOOST_TEST(error.message() == "found a pipe, need a regular file");
  BOOST_TEST(error.where() == pipe);
}

BOOST_AUTO_TEST_CASE(refuses_a_device) {
  BOOST_TEST(refusal([] { File::open("/dev/null"); }).message() ==
             "found a device, need a regular file");
}

BOOST_AUTO_TEST_CASE(refuses_a_file_without_permission) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "x");
  BOOST_REQUIRE(::chmod(path.c_str(), 0) == 0);
  const Error error = refusal([&] {
    const Unprivileged user;
    File::open(path);
  });
  BOOST_TEST(error.message() == "cannot open: permission denied");
  BOOST_TEST(has(error.hint(), "check the permissions"));
}

BOOST_AUTO_TEST_CASE(reports_a_file_that_shrank_after_it_was_opened) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "0123456789");
  const auto file = File::open(path);
  BOOST_REQUIRE(::truncate(path.c_str(), 4) == 0);
  const Error error = refusal([&] { read(*file, 2, 6); });
  BOOST_TEST((error.kind() == ErrorKind::kIo));
  BOOST_TEST(error.message() == "file ends 4 bytes too early; it had 10 bytes when it was opened");
  BOOST_TEST(error.where() == path + ", byte 4");
  BOOST_TEST(has(error.hint(), "changed during the run"));
}

BOOST_AUTO_TEST_CASE(keeps_a_file_readable_after_its_name_is_gone) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "0123");
  const auto file = File::open(path);
  ::unlink(path.c_str());
  BOOST_TEST(read(*file, 0, 4) == "0123");
}

BOOST_AUTO_TEST_CASE(refuses_a_text_over_the_limit) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "12345");
  BOOST_TEST(read_text_file(path, 5) == "12345");
  BOOST_TEST(refusal([&] { read_text_file(path, 4); }).message() ==
             "file of 5 bytes, the limit is 4");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
