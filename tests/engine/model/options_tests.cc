#include "engine/model/options.h"

#include <boost/test/unit_test.hpp>

#include "engine/core/error.h"

namespace qspec {
namespace {

BOOST_AUTO_TEST_SUITE(options_tests)

BOOST_AUTO_TEST_CASE(what_is_left_out_keeps_its_default) {
  BOOST_TEST(parse_build_options(Json::object()).dense_budget == BuildOptions{}.dense_budget);
  BOOST_TEST(parse_run_options(Json::object()).taps.empty());
  BOOST_TEST(!parse_run_options(Json::object()).last_position_only);
  BOOST_TEST(parse_run_options(Json::object()).step == 0);
  BOOST_TEST(!parse_run_options(Json::object()).random_rounding.has_value());
}

BOOST_AUTO_TEST_CASE(reads_what_is_given) {
  BOOST_TEST(parse_build_options({{"dense_budget", 0}}).dense_budget == 0);
  const RunOptions options = parse_run_options(
      {{"taps", {"final", "layer.0"}}, {"last", true}, {"step", 3}, {"random_rounding", 7}});
  BOOST_TEST(options.taps.size() == 2u);
  BOOST_TEST(options.last_position_only);
  BOOST_TEST(options.step == 3);
  BOOST_TEST(options.random_rounding.value() == 7u);
}

BOOST_AUTO_TEST_CASE(an_unknown_option_is_refused_with_the_nearest) {
  BOOST_CHECK_EXCEPTION(parse_run_options({{"tap", {"final"}}}), Error,
                        [](const Error& error) { return error.hint() == "did you mean 'taps'?"; });
  BOOST_CHECK_THROW(parse_build_options({{"budget", 1}}), Error);
}

BOOST_AUTO_TEST_CASE(values_of_another_type_are_refused) {
  BOOST_CHECK_THROW(parse_run_options({{"taps", {1}}}), Error);
  BOOST_CHECK_THROW(parse_run_options({{"taps", "final"}}), Error);
  BOOST_CHECK_THROW(parse_run_options({{"last", 1}}), Error);
  for (const Json& value : {Json(-1), Json(1.5), Json("1"), Json(1e300)}) {
    BOOST_CHECK_THROW(parse_run_options({{"step", value}}), Error);
    BOOST_CHECK_THROW(parse_run_options({{"random_rounding", value}}), Error);
  }
  BOOST_CHECK_THROW(parse_build_options({{"dense_budget", -1}}), Error);
  BOOST_CHECK_THROW(parse_build_options({{"dense_budget", 1e300}}), Error);
  BOOST_CHECK_THROW(parse_build_options({{"dense_budget", "1"}}), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
