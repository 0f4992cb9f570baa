#include <boost/test/unit_test.hpp>

#include "tests/fuzz/gguf_reader.h"
#include "tests/fuzz/readers.h"
#include "tests/fuzz/torch_archive_reader.h"
#include "tests/support/temporary_folder.h"

namespace qspec::test {
namespace {

// Gives every seed of one fuzzer to what that fuzzer runs.
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

BOOST_AUTO_TEST_CASE(safetensors_headers_are_read_or_refused) {
  replay("safetensors_header", exercise_safetensors_header);
}

BOOST_AUTO_TEST_CASE(shard_indexes_are_read_or_refused) {
  replay("shard_index", exercise_shard_index);
}

BOOST_AUTO_TEST_CASE(json_texts_are_read_or_refused) {
  replay("json", exercise_json);
}

BOOST_AUTO_TEST_CASE(torch_archives_are_read_or_refused) {
  replay("torch_archive", exercise_torch_archive);
}

BOOST_AUTO_TEST_CASE(pickles_are_read_or_refused) {
  replay("pickle", exercise_pickle);
}

BOOST_AUTO_TEST_CASE(gguf_headers_are_read_or_refused) {
  replay("gguf", exercise_gguf);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
