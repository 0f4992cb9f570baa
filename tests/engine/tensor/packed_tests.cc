#include "engine/tensor/packed.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "tests/engine/tensor/rules.h"
#include "tests/engine/tensor/tensors.h"
#include "tests/support/refusal.h"

namespace qspec {
namespace {

using test::has;
using test::refusal;

CodebookBlockwise pack(const at::Tensor& weight, int64_t block_size) {
  const Quantized4 encoded = quantize_codebook4(weight, test::nf4_rule(), block_size);
  return CodebookBlockwise(
      {encoded.packed, at::linspace(-1, 1, 16), encoded.absmax, block_size, weight.sizes().vec()});
}

void check_same(const Comparison& got, const Comparison& wanted) {
  BOOST_TEST(got.baseline_squares == wanted.baseline_squares);
  BOOST_TEST(got.error_squares == wanted.error_squares);
  BOOST_TEST(got.cross == wanted.cross);
  BOOST_TEST(got.max_abs_error == wanted.max_abs_error);
  BOOST_TEST(got.max_error_index == wanted.max_error_index);
  BOOST_TEST(got.worst_block == wanted.worst_block);
  BOOST_TEST(got.nonfinite_decoded == wanted.nonfinite_decoded);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(packed_tests)

BOOST_AUTO_TEST_CASE(comparing_codes_equals_decoding_and_comparing) {
  for (const int64_t columns : {1, 63, 65, 127, 4097}) {
    for (const int64_t block : {32, 64, 4096}) {
      for (const at::ScalarType dtype : {at::kFloat, at::kHalf, at::kBFloat16}) {
        const at::Tensor baseline = at::randn({7, columns}).to(dtype);
        const CodebookBlockwise packed = pack(baseline, block);
        check_same(packed.compare(baseline), compare(packed.decode(at::kFloat), baseline, block));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(comparing_int8_rows_equals_decoding_and_comparing) {
  for (const int64_t columns : {1, 65, 4097, 9000}) {
    const at::Tensor baseline = at::randn({5, columns}).to(at::kHalf);
    const RowwiseInt8 packed(quantize_rowwise_int8(baseline));
    check_same(packed.compare(baseline), compare(packed.decode(at::kFloat), baseline, columns));
  }
}

BOOST_AUTO_TEST_CASE(a_scale_that_is_not_a_number_is_seen_by_the_comparison) {
  const at::Tensor baseline = at::randn({4, 64});
  Codebook4 weight{
      at::full({128}, 0x77, at::kByte), at::linspace(-1, 1, 16), at::ones({4}), 64, {4, 64}};
  weight.absmax[2] = std::nanf("");
  const CodebookBlockwise packed(weight);
  BOOST_TEST(packed.compare(baseline).nonfinite_decoded == 64);
  BOOST_TEST(packed.statistics().nonfinite_scales == 1);
}

BOOST_AUTO_TEST_CASE(bytes_are_those_of_codes_and_side_tensors) {
  BOOST_TEST(pack(at::randn({4, 64}), 64).bytes() == 4 * 32 + 16 * 4 + 4 * 4);
  BOOST_TEST(RowwiseInt8(quantize_rowwise_int8(at::randn({4, 64}))).bytes() == 4 * 64 + 4 * 4);
}

BOOST_AUTO_TEST_CASE(statistics_count_dead_blocks_and_codes) {
  at::Tensor weight = at::ones({4, 64});
  weight[1].zero_();
  const CodeStatistics result = pack(weight, 64).statistics();
  BOOST_TEST(result.scales == 4);
  BOOST_TEST(result.zero_scales == 1);
  BOOST_TEST(result.histogram[15] == 192);
  BOOST_TEST(result.histogram[0] == 64);
}

BOOST_AUTO_TEST_CASE(statistics_of_int8_count_from_minus_128) {
  const CodeStatistics result =
      RowwiseInt8({at::tensor({-128, 0, 127, 127}, at::kChar).reshape({1, 4}), at::ones({1})})
          .statistics();
  BOOST_TEST(result.lowest_code == -128);
  BOOST_TEST(result.histogram[0] == 1);
  BOOST_TEST(result.histogram[128] == 1);
  BOOST_TEST(result.histogram[255] == 2);
}

BOOST_AUTO_TEST_CASE(refuses_a_baseline_of_the_transposed_shape) {
  const CodebookBlockwise packed = pack(at::randn({2, 64}), 64);
  BOOST_TEST(has(refusal([&] { packed.compare(at::ones({64, 2})); }).message(), "wanted [2, 64]"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
