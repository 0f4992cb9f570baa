#include "engine/core/crc32.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace qspec::test {

BOOST_AUTO_TEST_SUITE(crc32_tests)

// The check value of the catalogue of CRC algorithms (CRC-32/ISO-HDLC), and zlib's values.
BOOST_AUTO_TEST_CASE(agrees_with_zlib) {
  BOOST_TEST(crc32("123456789") == 0xCBF43926u);
  BOOST_TEST(crc32("") == 0u);
  BOOST_TEST(crc32(std::string(1, '\0')) == 0xD202EF8Du);
  BOOST_TEST(crc32("\xFF\xFF\xFF\xFF") == 0xFFFFFFFFu);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
