#include "engine/tensor/codebook8.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "tests/engine/tensor/tensors.h"
#include "tests/support/refusal.h"

namespace qspec {
namespace {

using test::has;
using test::refusal;

// codebook[i] = i: midpoints are exact, and a block whose absmax is 1 is not scaled.
at::Tensor whole_numbers() {
  return at::arange(256, at::kFloat);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(codebook8_tests)

BOOST_AUTO_TEST_CASE(the_dynamic_codebook_ascends_from_minus_almost_one_to_one) {
  const at::Tensor book = dynamic_codebook_tensor();
  const float* values = book.data_ptr<float>();
  BOOST_TEST(values[0] == -0.99296874f);
  BOOST_TEST(values[127] == 0.0f);
  BOOST_TEST(values[128] == 5.50000038e-7f);
  BOOST_TEST(values[255] == 1.0f);
  for (int i = 1; i < 256; ++i) BOOST_TEST(values[i - 1] < values[i]);
}

BOOST_AUTO_TEST_CASE(every_value_of_the_codebook_encodes_to_its_own_code) {
  const at::Tensor book = dynamic_codebook_tensor();
  const Quantized8 encoded = quantize_codebook8(book, book, 256);
  BOOST_TEST(encoded.codes.equal(at::arange(256).to(at::kByte)));
  BOOST_TEST(encoded.absmax.item<float>() == 1);
}

BOOST_AUTO_TEST_CASE(a_value_between_two_codes_takes_the_even_one) {
  // Scaled by 1/1: the block's absmax is 1, and 0.25 is the middle of codes 1 and 2.
  const at::Tensor book = at::arange(256, at::kFloat) / 8 - 1;
  const at::Tensor values = at::tensor({1.0f, -0.9375f, -0.8125f, -0.6875f});
  const Quantized8 encoded = quantize_codebook8(values, book, 4);
  BOOST_TEST(encoded.codes.equal(at::tensor({16, 0, 2, 2}, at::kByte)));
}

BOOST_AUTO_TEST_CASE(a_value_just_off_the_middle_takes_the_nearer_code) {
  const at::Tensor book = at::arange(256, at::kFloat) / 8 - 1;
  const at::Tensor values =
      at::tensor({1.0f, std::nextafter(-0.9375f, 0.0f), std::nextafter(-0.8125f, -1.0f)});
  const Quantized8 encoded = quantize_codebook8(values, book, 4);
  BOOST_TEST(encoded.codes.equal(at::tensor({16, 1, 1}, at::kByte)));
}

BOOST_AUTO_TEST_CASE(zeros_and_nans_encode_to_code_zero) {
  const at::Tensor values = at::tensor({0.0f, 0.0f, std::nanf(""), 1.0f});
  const Quantized8 encoded = quantize_codebook8(values, dynamic_codebook_tensor(), 2);
  BOOST_TEST(encoded.codes.equal(at::tensor({0, 0, 0, 255}, at::kByte)));
  BOOST_TEST(encoded.absmax.equal(at::tensor({0.0f, 1.0f})));
}

BOOST_AUTO_TEST_CASE(decodes_each_block_with_its_own_absmax) {
  const at::Tensor codes = at::tensor({1, 2, 3}, at::kByte);
  const at::Tensor absmax = at::tensor({10.0f, 100.0f});
  BOOST_TEST(dequantize_codebook8(codes, whole_numbers(), absmax, 2)
                 .equal(at::tensor({10.0f, 20.0f, 300.0f})));
}

BOOST_AUTO_TEST_CASE(refuses_a_codebook_of_another_size) {
  const at::Tensor codes = at::zeros({4}, at::kByte);
  BOOST_TEST(has(
      refusal([&] { dequantize_codebook8(codes, at::zeros({16}), at::ones({1}), 256); }).message(),
      "codebook has 16 elements"));
}

BOOST_AUTO_TEST_CASE(refuses_too_few_scales) {
  const at::Tensor codes = at::zeros({257}, at::kByte);
  BOOST_TEST(has(
      refusal([&] { dequantize_codebook8(codes, whole_numbers(), at::ones({1}), 256); }).message(),
      "wanted 2 elements"));
}

BOOST_AUTO_TEST_CASE(refuses_codes_of_another_dtype) {
  BOOST_TEST(has(refusal([&] {
                   dequantize_codebook8(at::zeros({4}, at::kChar), whole_numbers(), at::ones({1}),
                                        256);
                 }).message(),
                 "int8"));
}

BOOST_AUTO_TEST_CASE(refuses_a_block_size_of_zero) {
  BOOST_TEST(has(refusal([&] { quantize_codebook8(at::ones({4}), whole_numbers(), 0); }).message(),
                 "block size is 0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
