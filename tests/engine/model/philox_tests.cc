#include "engine/model/philox.h"

#include <boost/test/unit_test.hpp>
#include <set>

namespace qspec {
namespace {

using Counter = std::array<uint32_t, 4>;

BOOST_AUTO_TEST_SUITE(philox_tests)

// The known answers of Random123 1.14, tests/kat_vectors.
BOOST_AUTO_TEST_CASE(gives_the_known_answers) {
  BOOST_TEST(
      (philox({0, 0, 0, 0}, {0, 0}) == Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const uint32_t most = 0xffffffff;
  BOOST_TEST((philox({most, most, most, most}, {most, most}) ==
              Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  BOOST_TEST((philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
              Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

BOOST_AUTO_TEST_CASE(a_number_is_the_first_53_bits_of_its_words) {
  const uint64_t bits = (uint64_t{0x6627e8d5} << 32 | 0xe169c58d) >> 11;
  BOOST_TEST(uniform(0, 0, 0) == static_cast<double>(bits) / 9007199254740992.0);
}

BOOST_AUTO_TEST_CASE(seed_row_and_step_each_give_another_number) {
  std::set<double> numbers;
  for (uint64_t seed : {0ull, 1ull, 1ull << 40}) {
    for (uint64_t row : {0ull, 1ull}) {
      for (uint64_t step : {0ull, 1ull, 1ull << 33}) numbers.insert(uniform(seed, row, step));
    }
  }
  BOOST_TEST(numbers.size() == 18u);
  BOOST_TEST(*numbers.begin() >= 0.0);
  BOOST_TEST(*numbers.rbegin() < 1.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
