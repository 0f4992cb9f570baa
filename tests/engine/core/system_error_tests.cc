#include "engine/core/system_error.h"

#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "tests/support/refusal.h"

namespace qspec::test {

BOOST_AUTO_TEST_SUITE(system_error_tests)

BOOST_AUTO_TEST_CASE(says_what_was_tried_where_and_why_not) {
  const Error error = system_error("open", "a\nb", ENOENT);
  BOOST_TEST((error.kind() == ErrorKind::kIo));
  BOOST_TEST(error.message() == "cannot open: no such file or directory");
  BOOST_TEST(error.where() == "a\\x0Ab");
  BOOST_TEST(error.hint() == "");
}

BOOST_AUTO_TEST_CASE(hints_at_the_next_step) {
  BOOST_TEST(has(system_error("open", "a", EACCES).hint(), "permissions"));
  BOOST_TEST(has(system_error("open", "a", EMFILE).hint(), "ulimit -n"));
  BOOST_TEST(has(system_error("write", "a", ENOSPC).hint(), "free some room"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
