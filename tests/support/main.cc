#define BOOST_TEST_MODULE qspec
#include <boost/test/unit_test.hpp>
