#include "engine/tensor/vector_columns.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "engine/tensor/bits.h"
#include "tests/engine/tensor/tensors.h"
#include "tests/support/refusal.h"

namespace qspec {
namespace {

using test::has;
using test::refusal;

VectorColumns random_columns(at::ScalarType dtype, int64_t bits, int64_t residual_bits,
                             int64_t length, int64_t leading, int64_t group_columns) {
  const int64_t groups = 2, out = 2 * length + 1, in = leading + groups * group_columns;
  const int64_t words = (group_columns * (bits + residual_bits) + 31) / 32;
  VectorColumns weight;
  weight.indices = at::randint(0, 256, {groups, 3, 4 * words}, at::kByte).view(at::kInt);
  weight.bits = bits;
  weight.residual_bits = residual_bits;
  weight.vectors = at::randn({groups, int64_t{1} << bits, length}).to(dtype);
  if (residual_bits > 0) {
    weight.residuals = at::randn({groups, int64_t{1} << residual_bits, length}).to(dtype);
  }
  if (leading > 0) weight.leading = at::randn({out, leading}).to(dtype);
  weight.order = at::arange(in - 1, -1, -1, at::kLong);
  weight.scales = at::randn({in}).to(dtype);
  weight.shifts = at::randn({in}).to(dtype);
  weight.shape = {out, in};
  return weight;
}

// Bits `first` and on of a row of words.
int64_t field(const at::Tensor& words, int64_t first, int64_t bits) {
  int64_t value = 0;
  for (int64_t bit = 0; bit < bits; ++bit) {
    const int64_t word = words[(first + bit) / 32].item<int64_t>();
    value |= (word >> (first + bit) % 32 & 1) << bit;
  }
  return value;
}

// The definition, number by number: rounded after each operation.
at::Tensor slowly(const VectorColumns& weight) {
  const at::ScalarType dtype = weight.vectors.scalar_type();
  const int64_t length = weight.vectors.size(2), width = weight.bits + weight.residual_bits;
  const int64_t leading = weight.leading.defined() ? weight.leading.size(1) : 0;
  const int64_t columns = (weight.shape[1] - leading) / 2;
  at::Tensor result = at::empty(weight.shape, dtype);
  for (int64_t r = 0; r < weight.shape[0]; ++r) {
    for (int64_t c = 0; c < weight.shape[1]; ++c) {
      const int64_t source = weight.order[c].item<int64_t>(), k = source - leading;
      at::Tensor x;
      if (k < 0) {
        x = weight.leading[r][source];
      } else {
        const at::Tensor words = weight.indices[k / columns][r / length];
        const int64_t bit = k % columns * width;
        x = weight.vectors[k / columns][field(words, bit, weight.bits)][r % length];
        if (weight.residual_bits > 0) {
          x = x + weight.residuals[k / columns][field(words, bit + weight.bits,
                                                      weight.residual_bits)][r % length];
        }
      }
      result[r][c] = x * weight.scales[c] + weight.shifts[c];
    }
  }
  return result;
}

BOOST_AUTO_TEST_SUITE(vector_columns_tests)

BOOST_AUTO_TEST_CASE(columns_are_vectors_and_residuals_scaled_and_shifted_in_their_order) {
  at::manual_seed(1);
  for (const at::ScalarType dtype : {at::kFloat, at::kHalf, at::kBFloat16}) {
    for (const int64_t residual_bits : {0, 3}) {
      for (const int64_t leading : {0, 2}) {
        const VectorColumns weight = random_columns(dtype, 5, residual_bits, 6, leading, 19);
        BOOST_TEST(equal_bits(decoded_columns(weight), slowly(weight)),
                   residual_bits << " residual bits, " << leading << " columns before");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(more_columns_than_a_panel_and_wide_indices) {
  at::manual_seed(2);
  const VectorColumns weight = random_columns(at::kHalf, 13, 11, 2, 1, 300);
  BOOST_TEST(equal_bits(decoded_columns(weight), slowly(weight)));
}

BOOST_AUTO_TEST_CASE(negative_zeros_among_leading_columns_stay) {
  at::manual_seed(3);
  VectorColumns weight = random_columns(at::kHalf, 4, 2, 4, 1, 8);
  weight.leading = at::full({9, 1}, -0.0f).to(at::kHalf);
  weight.order.reset();
  weight.scales = at::ones({17}).to(at::kHalf);
  weight.shifts = at::full({17}, -0.0f).to(at::kHalf);
  BOOST_TEST(equal_bits(decoded_columns(weight).narrow(1, 0, 1).contiguous(), weight.leading));
}

BOOST_AUTO_TEST_CASE(parts_that_do_not_fit_are_refused) {
  const VectorColumns right = random_columns(at::kHalf, 5, 3, 6, 2, 19);
  const auto refused = [&](auto spoil) {
    VectorColumns wrong = right;
    spoil(wrong);
    return std::string(refusal([&] { decoded_columns(wrong); }).what());
  };
  using Columns = VectorColumns;
  BOOST_TEST(has(refused([](Columns& w) { w.indices = w.indices.narrow(2, 0, 4); }),
                 "indices are 2 x 3 x 4, wanted 2 x 3 x 5 words"));
  BOOST_TEST(
      has(refused([](Columns& w) { w.order = w.order + 1; }), "column 0 is column 40 of 40"));
  BOOST_TEST(has(refused([](Columns& w) { w.bits = 25; }), "wanted 1 to 24"));
  BOOST_TEST(has(refused([](Columns& w) { w.bits = 4; }), "vectors has"));
  BOOST_TEST(has(refused([](Columns& w) { w.residuals.reset(); }), "residuals without bits"));
  BOOST_TEST(has(refused([](Columns& w) { w.scales = w.scales.to(at::kFloat); }),
                 "scales has 40 elements of float32"));
  BOOST_TEST(has(refused([](Columns& w) { w.shape[1] = 39; }), "37 columns in 2 groups"));
  BOOST_TEST(has(refused([](Columns& w) { w.vectors = w.vectors.to(at::kDouble); }),
                 "vectors are float64"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
