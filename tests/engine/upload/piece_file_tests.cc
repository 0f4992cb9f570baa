#include "engine/upload/piece_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "engine/upload/pieces.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"

namespace qspec::test {
namespace {

struct Free {
  void operator()(std::byte* memory) const { std::free(memory); }
};

std::string read(const PieceFile& file, uint64_t offset, size_t bytes, uint64_t least = 0) {
  const std::unique_ptr<std::byte, Free> memory(
      static_cast<std::byte*>(std::aligned_alloc(kPageBytes, bytes)));
  std::memset(memory.get(), '#', bytes);
  file.read(offset, {memory.get(), bytes}, least);
  return std::string(reinterpret_cast<const char*>(memory.get()), bytes);
}

std::string pattern(size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + i * i % 23);
  return text;
}

// Out of the page cache, as far as the system does what it is asked.
void drop_from_cache(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY);
  ::fsync(descriptor);
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  ::close(descriptor);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(piece_file_tests)

BOOST_AUTO_TEST_CASE(reads_what_the_page_cache_has_and_what_it_has_not) {
  const TemporaryFolder folder;
  const std::string text = pattern(5 * kPageBytes + 77);
  const std::string path = folder.write("a", text);
  const PieceFile file(path);
  for (const bool cold : {false, true}) {
    if (cold) drop_from_cache(path);
    BOOST_TEST((read(file, kPageBytes, 2 * kPageBytes) == text.substr(kPageBytes, 2 * kPageBytes)));
  }
}

BOOST_AUTO_TEST_CASE(the_last_page_is_filled_as_far_as_the_file_reaches) {
  const TemporaryFolder folder;
  const std::string text = pattern(3 * kPageBytes + 77);
  const std::string path = folder.write("a", text);
  for (const bool cold : {false, true}) {
    if (cold) drop_from_cache(path);
    const std::string found = read(PieceFile(path), 2 * kPageBytes, 2 * kPageBytes);
    BOOST_TEST((found.substr(0, kPageBytes + 77) == text.substr(2 * kPageBytes)));
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_read_behind_the_end) {
  const TemporaryFolder folder;
  const PieceFile file(folder.write("a", "abc"));
  BOOST_TEST(read(file, kPageBytes, kPageBytes) == std::string(kPageBytes, '#'));
}

BOOST_AUTO_TEST_CASE(a_file_that_shrank_is_an_error) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", pattern(4 * kPageBytes));
  const PieceFile file(path);
  BOOST_REQUIRE(::truncate(path.c_str(), kPageBytes + 5) == 0);
  const Error error = refusal([&] { read(file, 0, 4 * kPageBytes); });
  BOOST_TEST((error.kind() == ErrorKind::kIo));
  BOOST_TEST(error.hint() == "the file changed during the run");
}

BOOST_AUTO_TEST_CASE(a_file_that_is_shorter_than_is_needed_is_an_error) {
  const TemporaryFolder folder;
  const PieceFile file(folder.write("a", std::string(100, 'x')));
  BOOST_TEST(read(file, 0, kPageBytes, 100).substr(0, 100) == std::string(100, 'x'));
  BOOST_TEST((refusal([&] { read(file, 0, kPageBytes, 101); }).kind() == ErrorKind::kIo));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_is_an_error) {
  BOOST_TEST((refusal([] { PieceFile("/nowhere/at/all"); }).kind() == ErrorKind::kIo));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
