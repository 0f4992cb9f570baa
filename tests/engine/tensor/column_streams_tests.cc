#include "engine/tensor/column_streams.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>

#include "engine/tensor/bits.h"
#include "engine/tensor/coded.h"
#include "engine/tensor/coded_weight.h"
#include "engine/tensor/repack.h"
#include "tests/engine/tensor/tensors.h"
#include "tests/support/refusal.h"

namespace qspec {
namespace {

using test::has;
using test::refusal;

at::Tensor random_words(int64_t rows, int64_t columns, at::ScalarType dtype) {
  const int64_t bytes = static_cast<int64_t>(c10::elementSize(dtype));
  return at::randint(0, 256, {rows, columns * bytes}, at::kByte).view(dtype);
}

// The weight with its codes in rows, which decoding by panels has to equal.
void check_equals_rows(const ColumnStreams& streams, const at::Tensor& codes, int bits,
                       int64_t rows, int64_t columns) {
  Coded lying;
  lying.bits = bits;
  lying.values = at::randn({int64_t{1} << bits});
  lying.shape = {rows, columns};
  lying.block_rows = 1;
  lying.block_columns = 16;
  lying.scales = at::randn({rows, (columns + 15) / 16});
  lying.zeros = at::randn({rows, (columns + 15) / 16});
  Coded standing = lying;
  lying.columns = streams;
  standing.codes = codes.narrow(0, 0, rows).contiguous();
  for (const at::ScalarType dtype : {at::kFloat, at::kHalf, at::kBFloat16}) {
    BOOST_TEST(equal_bits(dequantize(checked(lying), dtype), dequantize(checked(standing), dtype)),
               bits << " bits, " << rows << " x " << columns);
  }
  BOOST_TEST(code_histogram(checked(lying)) == code_histogram(checked(standing)));
  const at::Tensor baseline = at::randn({rows, columns});
  BOOST_TEST(CodedWeight(lying).compare(baseline).error_squares ==
             CodedWeight(standing).compare(baseline).error_squares);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(column_streams_tests)

BOOST_AUTO_TEST_CASE(whole_columns_decode_as_the_same_codes_in_rows) {
  at::manual_seed(1);
  for (const at::ScalarType dtype : {at::kByte, at::kShort, at::kInt, at::kLong}) {
    for (const int64_t rows : {1, 15, 64, 65, 300}) {
      for (const int64_t height : {1, 16, 33}) {
        const at::Tensor words = random_words(height, rows, dtype);
        const int64_t bits = static_cast<int64_t>(c10::elementSize(dtype)) * 8 * height;
        for (const int width : {3, 4, 8}) {
          check_equals_rows(ColumnStreams::of_words(words), transpose_words(words).view(at::kByte),
                            width, rows, bits / width);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(fields_of_columns_decode_as_the_same_codes_in_rows) {
  at::manual_seed(2);
  const FieldOrder awq = {0, 2, 4, 6, 1, 3, 5, 7};
  for (const int64_t words_a_row : {1, 15, 16, 17, 70}) {
    for (const int64_t height : {16, 130, 257}) {
      const at::Tensor words = random_words(height, words_a_row, at::kInt);
      for (const int64_t rows : {words_a_row * 8, words_a_row * 8 - 5}) {
        check_equals_rows(ColumnStreams::of_fields(words, 4, awq), transpose_fields(words, 4, awq),
                          4, rows, height);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_streams_that_are_too_few_or_too_short) {
  Coded weight;
  weight.bits = 4;
  weight.values = at::arange(16).to(at::kFloat);
  weight.block_rows = weight.block_columns = 8;
  weight.columns = ColumnStreams::of_words(random_words(2, 8, at::kInt));
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{9, 16}, {8, 17}}) {
    weight.shape = shape;
    weight.scales = at::ones({(shape[0] + 7) / 8, (shape[1] + 7) / 8});
    BOOST_TEST(has(refusal([&] { checked(weight); }).message(), "8 streams of 8 bytes"));
  }
}

BOOST_AUTO_TEST_CASE(refuses_words_that_are_no_matrix_of_integers) {
  BOOST_TEST(has(refusal([] {
                   ColumnStreams::of_words(at::zeros({2, 2, 2}, at::kInt));
                 }).message(),
                 "wanted rows and columns"));
  BOOST_TEST(has(refusal([] {
                   ColumnStreams::of_fields(at::zeros({2, 2}, at::kInt), 3, {});
                 }).message(),
                 "power of two"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
