#include "engine/kernels/code_value.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>

#include "engine/kernels/rowwise8.h"
#include "engine/tensor/code_values.h"
#include "engine/tensor/rowwise8.h"

namespace qspec::cuda {

BOOST_AUTO_TEST_SUITE(code_value_tests)

BOOST_AUTO_TEST_CASE(decodes_all_codes_of_e4m3) {
  const std::vector<float> values = e4m3_values();
  for (uint32_t code = 0; code < 256; ++code) {
    const float found = e4m3_value(code), wanted = values[code];
    const bool is_same = std::memcmp(&found, &wanted, sizeof found) == 0 ||
                         (std::isnan(found) && std::isnan(wanted));
    BOOST_TEST(is_same, "code " << code << ": " << found << ", wanted " << wanted);
  }
}

// Every float16 in one row at a time with a largest of its own, so that scales differ.
BOOST_AUTO_TEST_CASE(chooses_the_int8_codes_of_every_float16) {
  const at::Tensor bits = at::arange(65536, at::kInt).to(at::kShort).view(at::kHalf);
  const at::Tensor finite = bits.index({at::isfinite(bits)}).reshape({-1, 16});
  const at::Tensor spread = at::arange(16, at::kFloat).add(0.37f).reciprocal();
  const at::Tensor rows = at::cat({finite, finite.to(at::kFloat).mul(spread).to(at::kHalf)});
  const Rowwise8 wanted = quantize_rowwise_int8(rows);
  const at::Tensor floats = rows.to(at::kFloat).contiguous();
  const auto* x = floats.const_data_ptr<float>();
  const auto* codes = wanted.codes.const_data_ptr<int8_t>();
  const auto* absmax = wanted.absmax.const_data_ptr<float>();
  for (int64_t i = 0; i < rows.numel(); ++i) {
    const int8_t found = rowwise8_code(x[i], 127 * (1 / absmax[i / 16]));
    if (found != codes[i]) BOOST_ERROR(x[i] << ": " << int{found} << ", wanted " << int{codes[i]});
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::cuda
