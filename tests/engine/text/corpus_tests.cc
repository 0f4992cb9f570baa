#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "tests/fuzz/tokenizer_reader.h"
#include "tests/support/temporary_folder.h"

using namespace qspec::test;

BOOST_AUTO_TEST_SUITE(corpus_tests)

BOOST_AUTO_TEST_CASE(every_seed_of_the_tokenizer_fuzzer_is_accepted_or_refused_with_a_place) {
  size_t seeds = 0;
  for (const auto& seed :
       std::filesystem::directory_iterator(QSPEC_SOURCE_DIR "/tests/fuzz/corpus/tokenizer")) {
    BOOST_TEST_CONTEXT(seed.path()) {
      BOOST_CHECK_NO_THROW(exercise_tokenizer(text_of(seed.path())));
    }
    ++seeds;
  }
  BOOST_TEST(seeds >= 13u);
}

BOOST_AUTO_TEST_SUITE_END()
