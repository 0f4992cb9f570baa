#include "engine/tensor/summed_vectors.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <vector>

#include "engine/tensor/bits.h"
#include "engine/tensor/kernels.h"
#include "tests/engine/tensor/tensors.h"
#include "tests/support/refusal.h"

namespace qspec {
namespace {

using test::has;
using test::refusal;

VectorSums random_sums(at::ScalarType codes, at::ScalarType numbers, int64_t books, int64_t vectors,
                       int64_t rows, int64_t columns) {
  const int64_t groups = 3, across = 7;
  const auto bytes = static_cast<int64_t>(c10::elementSize(codes));
  VectorSums weight;
  weight.codes = at::randint(0, 256, {groups, across, books * bytes}, at::kByte).view(codes);
  weight.codebooks = at::randn({books, vectors, rows, columns}).to(numbers);
  weight.scales = at::randn({groups, 1, 1, 1}).to(numbers);
  weight.shape = {groups * rows, across * columns};
  return weight;
}

// The definition, number by number.
at::Tensor slowly(const VectorSums& weight) {
  const at::Tensor& books = weight.codebooks;
  const at::ScalarType dtype = books.scalar_type();
  at::Tensor result = at::empty(weight.shape, dtype);
  const at::Tensor codes = weight.codes.to(at::kLong).bitwise_and(books.size(1) - 1);
  for (int64_t r = 0; r < weight.shape[0]; ++r) {
    const at::Tensor scale = weight.scales.flatten()[r / books.size(2)].to(at::kFloat);
    for (int64_t c = 0; c < weight.shape[1]; ++c) {
      float sum = 0;
      for (int64_t b = 0; b < books.size(0); ++b) {
        const auto code = codes[r / books.size(2)][c / books.size(3)][b].item<int64_t>();
        sum += books[b][code][r % books.size(2)][c % books.size(3)].item<float>();
      }
      const at::Tensor rounded = at::scalar_tensor(sum, at::kFloat).to(dtype).to(at::kFloat);
      result[r][c] = (rounded * scale).to(dtype);
    }
  }
  return result;
}

BOOST_AUTO_TEST_SUITE(summed_vectors_tests)

BOOST_AUTO_TEST_CASE(blocks_are_scaled_sums_of_a_vector_of_each_book) {
  at::manual_seed(1);
  for (const at::ScalarType numbers : {at::kFloat, at::kHalf, at::kBFloat16}) {
    for (const at::ScalarType codes : {at::kChar, at::kShort, at::kInt}) {
      for (const int64_t books : {1, 2, 3}) {
        for (const int64_t columns : {1, 3, 8, 16}) {
          const VectorSums weight =
              random_sums(codes, numbers, books, 32, columns == 3 ? 2 : 1, columns);
          BOOST_TEST(equal_bits(SummedVectors(weight).decode(numbers), slowly(weight)),
                     books << " books of vectors of " << columns);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(another_dtype_is_cast_from_that_of_the_codebooks) {
  at::manual_seed(2);
  const VectorSums weight = random_sums(at::kChar, at::kHalf, 2, 256, 1, 8);
  BOOST_TEST(equal_bits(SummedVectors(weight).decode(at::kFloat), slowly(weight).to(at::kFloat)));
  BOOST_TEST(
      equal_bits(SummedVectors(weight).decode(at::kBFloat16), slowly(weight).to(at::kBFloat16)));
}

BOOST_AUTO_TEST_CASE(sums_of_extremes_are_equal_whatever_the_version) {
  const std::vector<uint16_t> extremes = {0x0000, 0x8000, 0x7c00, 0xfc00, 0x7e01,
                                          0x0001, 0x03ff, 0x7bff, 0x3c01, 0xbbff};
  std::mt19937 random(3);
  std::vector<uint16_t> numbers(2 * 64 * 8);
  for (uint16_t& number : numbers) number = extremes[random() % extremes.size()];
  std::vector<uint8_t> bytes(2 * 50);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  VectorCodes codes{bytes.data(),
                    1,
                    63,
                    2,
                    reinterpret_cast<const uint8_t*>(numbers.data()),
                    16,
                    16 * 64,
                    8,
                    Rounding::kHalf,
                    0.37f};
  for (const Rounding kind : {Rounding::kHalf, Rounding::kBfloat16}) {
    codes.kind = kind;
    std::vector<uint16_t> wanted(50 * 8);
    kernels(Simd::kPlain).sum_vectors(codes, 50, wanted.data(), false);
    for (const Simd level : {Simd::kAvx2, Simd::kAvx512}) {
      if (!has_simd(level)) continue;
      std::vector<uint16_t> got(50 * 8);
      kernels(level).sum_vectors(codes, 50, got.data(), true);
      const uint16_t infinity = kind == Rounding::kHalf ? 0x7c00 : 0x7f80;
      for (size_t i = 0; i < got.size(); ++i) {
        const bool is_nan = (got[i] & 0x7fff) > infinity && (wanted[i] & 0x7fff) > infinity;
        BOOST_TEST((is_nan || got[i] == wanted[i]));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(codes_of_all_books_are_counted) {
  VectorSums weight = random_sums(at::kChar, at::kFloat, 2, 4, 1, 2);
  weight.codes = at::tensor({-1, 0, 1, 2, 3, 4}).to(at::kChar).repeat({7});
  const CodeStatistics found = SummedVectors(weight).statistics();
  BOOST_TEST(found.histogram == (std::vector<int64_t>{14, 7, 7, 14}));
  BOOST_TEST(found.scales == 3);
}

BOOST_AUTO_TEST_CASE(it_is_compared_as_the_weight_that_it_decodes_to) {
  at::manual_seed(4);
  const SummedVectors weight(random_sums(at::kChar, at::kHalf, 2, 16, 1, 8));
  const at::Tensor decoded = weight.decode(at::kHalf);
  BOOST_TEST(std::isinf(weight.compare(decoded).sqnr_db()));
}

BOOST_AUTO_TEST_CASE(parts_that_do_not_fit_are_refused) {
  const VectorSums right = random_sums(at::kChar, at::kHalf, 2, 16, 1, 8);
  const auto refused = [](const VectorSums& wrong) {
    return std::string(refusal([&] { SummedVectors weight(wrong); }).what());
  };
  VectorSums wrong = right;
  wrong.codes = right.codes.narrow(1, 0, 6);
  BOOST_TEST(has(refused(wrong), "codes has 36 elements of int8, wanted 42"));
  wrong = right;
  wrong.codebooks = right.codebooks.narrow(1, 0, 15);
  BOOST_TEST(has(refused(wrong), "wanted books of 2^bits vectors"));
  wrong = right;
  wrong.codebooks = right.codebooks.to(at::kDouble);
  BOOST_TEST(has(refused(wrong), "codebooks are float64"));
  wrong = right;
  wrong.scales = right.scales.narrow(0, 0, 2);
  BOOST_TEST(has(refused(wrong), "scales has 2 elements"));
  wrong = right;
  wrong.shape = {3, 55};
  BOOST_TEST(has(refused(wrong), "vectors of 1 x 8 do not divide the weight"));
  wrong = right;
  wrong.codes = right.codes.to(at::kLong);
  BOOST_TEST(has(refused(wrong), "codes have 64 bits"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
