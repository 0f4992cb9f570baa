// Where the program finds what belongs to it.

#include "bindings/host/installation.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>

#include "engine/core/error.h"
#include "script.h"

namespace qspec::lua {
namespace {

// An environment variable for the length of a test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value, 1);
  }
  ~Variable() {
    if (before_.empty()) {
      unsetenv(name_);
    } else {
      setenv(name_, before_.c_str(), 1);
    }
  }

 private:
  const char* name_;
  std::string before_;
};

Outcome require_tensor(const std::string& field) {
  return run("return select(2, pcall(require, 'host.tensor'))." + field);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(installation_tests)

BOOST_AUTO_TEST_CASE(qspec_home_names_the_home_folder) {
  const Variable home("QSPEC_HOME", QSPEC_SOURCE_DIR "/stdlib/..");
  const Installation installation = find_installation();
  BOOST_TEST(installation.home == QSPEC_SOURCE_DIR);
  BOOST_TEST(installation.program.starts_with(installation.folder + "/"));
}

BOOST_AUTO_TEST_CASE(a_qspec_home_without_a_standard_library_is_refused_with_its_name) {
  const Variable home("QSPEC_HOME", "/nowhere");
  BOOST_CHECK_EXCEPTION(find_installation(), Error, [](const Error& error) {
    return error.kind() == ErrorKind::kIo && error.where() == "/nowhere" &&
           error.message().find("QSPEC_HOME") != std::string::npos && !error.hint().empty();
  });
}

BOOST_AUTO_TEST_CASE(a_missing_tensor_library_is_unsupported_and_says_what_to_do) {
  BOOST_TEST(require_tensor("kind").text == "unsupported");
  BOOST_TEST(require_tensor("message").text == "there is no libqspec_torch.so beside the program");
  BOOST_TEST(require_tensor("hint").text.find("./qspec setup") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::lua
