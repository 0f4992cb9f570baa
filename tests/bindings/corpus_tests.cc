// The seeds of the fuzzers that end in Lua values.

#include <boost/test/unit_test.hpp>

#include "tests/fuzz/lua_reader.h"
#include "tests/support/temporary_folder.h"

namespace qspec::test {
namespace {

void replay(const std::string& name, void (*exercise)(std::string_view)) {
  const std::string folder = std::string(QSPEC_SOURCE_DIR) + "/tests/fuzz/corpus/" + name;
  int count = 0;
  for (const auto& seed : std::filesystem::directory_iterator(folder)) {
    BOOST_TEST_CONTEXT(seed.path().filename()) {
      BOOST_CHECK_NO_THROW(exercise(text_of(seed.path())));
    }
    ++count;
  }
  BOOST_TEST(count >= 10);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(corpus_tests)

BOOST_AUTO_TEST_CASE(configs_come_through_lua_unchanged) {
  replay("config", exercise_config);
}

BOOST_AUTO_TEST_CASE(quantization_states_are_read_or_refused) {
  replay("quant_state", exercise_quant_state);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
