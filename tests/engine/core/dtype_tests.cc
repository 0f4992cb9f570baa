#include "engine/core/dtype.h"

#include <boost/test/unit_test.hpp>

namespace qspec::test {

BOOST_AUTO_TEST_SUITE(dtype_tests)

BOOST_AUTO_TEST_CASE(finds_each_type_again_under_both_of_its_names) {
  for (int i = 0; i <= static_cast<int>(Dtype::kU64); ++i) {
    const DtypeInfo& row = info(static_cast<Dtype>(i));
    BOOST_TEST(static_cast<int>(row.dtype) == i);
    BOOST_TEST((dtype_of_stored_name(row.stored_name) == row.dtype));
    BOOST_TEST((dtype_of_torch_name(row.torch_name) == row.dtype));
  }
}

BOOST_AUTO_TEST_CASE(finds_nothing_under_an_unknown_name) {
  BOOST_TEST(!dtype_of_stored_name("f32").has_value());
  BOOST_TEST(!dtype_of_torch_name("torch.float16").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
