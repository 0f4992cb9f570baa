#include "engine/tensor/codebook4.h"

#include <boost/test/unit_test.hpp>
#include <limits>

#include "tests/engine/tensor/rules.h"
#include "tests/engine/tensor/tensors.h"
#include "tests/support/refusal.h"

namespace qspec {
namespace {

using test::has;
using test::refusal;

Codebook4 make(int64_t count, int64_t block_size) {
  at::manual_seed(static_cast<uint64_t>(count));
  return {at::randint(0, 256, {(count + 1) / 2}, at::kByte),
          at::linspace(-1, 1, 16),
          at::rand({(count + block_size - 1) / block_size}),
          block_size,
          {count}};
}

// The definition, one element after the other.
at::Tensor decoded_plainly(const Codebook4& weight) {
  at::Tensor result = at::empty(weight.shape, at::kFloat);
  for (int64_t i = 0; i < result.numel(); ++i) {
    const int byte = weight.packed.data_ptr<uint8_t>()[i / 2];
    const int code = i % 2 == 0 ? byte / 16 : byte % 16;
    result.data_ptr<float>()[i] = weight.codebook.data_ptr<float>()[code] *
                                  weight.absmax.data_ptr<float>()[i / weight.block_size];
  }
  return result;
}

const int64_t kCounts[] = {1, 2, 63, 64, 65, 127, 4097, 70001};
const int64_t kBlocks[] = {2, 16, 24, 32, 48, 64, 128, 4096};

}  // namespace

BOOST_AUTO_TEST_SUITE(codebook4_tests)

BOOST_AUTO_TEST_CASE(decodes_any_count_and_block_size_by_the_definition) {
  for (const int64_t count : kCounts) {
    for (const int64_t block : kBlocks) {
      const Codebook4 weight = make(count, block);
      const at::Tensor wanted = decoded_plainly(weight);
      BOOST_TEST(dequantize(weight, at::kFloat).equal(wanted), count << " in blocks of " << block);
      BOOST_TEST(dequantize(weight, at::kHalf).equal(wanted.to(at::kHalf)));
      BOOST_TEST(dequantize(weight, at::kBFloat16).equal(wanted.to(at::kBFloat16)));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_first_element_of_a_byte_is_its_high_nibble) {
  Codebook4 weight = make(5, 4);
  const uint8_t packed[] = {0x1f, 0x2e, 0x30};
  std::copy_n(packed, 3, weight.packed.data_ptr<uint8_t>());
  weight.codebook = at::arange(16).to(at::kFloat);
  weight.absmax = at::tensor({1.0f, 10.0f});
  BOOST_TEST(dequantize(weight, at::kFloat).equal(at::tensor({1.0f, 15.0f, 2.0f, 14.0f, 30.0f})));
}

BOOST_AUTO_TEST_CASE(decodes_blocks_that_straddle_rows) {
  Codebook4 weight = make(300, 64);
  weight.shape = {3, 100};
  const at::Tensor flat = decoded_plainly(make(300, 64));
  BOOST_TEST(dequantize(weight, at::kFloat).equal(flat.reshape({3, 100})));
}

BOOST_AUTO_TEST_CASE(encodes_what_decodes_to_the_nearest_value) {
  const CodeRule rule = test::nf4_rule();
  for (const int64_t count : kCounts) {
    for (const int64_t block : kBlocks) {
      const at::Tensor weight = at::randn({count}).to(at::kBFloat16);
      const Quantized4 encoded = quantize_codebook4(weight, rule, block);
      BOOST_TEST(encoded.packed.sizes() == at::IntArrayRef({(count + 1) / 2, 1}));
      const at::Tensor wide = weight.to(at::kFloat);
      for (int64_t i = 0; i < count; ++i) {
        const float absmax = encoded.absmax.data_ptr<float>()[i / block];
        const float x = wide.data_ptr<float>()[i] * (1 / absmax);
        int wanted = 0;
        for (const float threshold : rule.thresholds) wanted += x > threshold ? 1 : 0;
        const int byte = encoded.packed.data_ptr<uint8_t>()[i / 2];
        BOOST_REQUIRE_EQUAL(i % 2 == 0 ? byte / 16 : byte % 16, wanted);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(absmax_is_the_largest_magnitude_of_each_block) {
  const at::Tensor weight = at::randn({10, 64});
  const Quantized4 encoded = quantize_codebook4(weight, test::fp4_rule(), 64);
  BOOST_TEST(encoded.absmax.equal(weight.abs().amax(1)));
}

BOOST_AUTO_TEST_CASE(an_odd_last_element_is_followed_by_the_code_of_zero) {
  const at::Tensor weight = at::ones({3});
  const Quantized4 encoded = quantize_codebook4(weight, test::nf4_rule(), 64);
  BOOST_TEST(encoded.packed.data_ptr<uint8_t>()[1] == 0xf7);
}

BOOST_AUTO_TEST_CASE(half_types_encode_like_the_floats_they_stand_for) {
  for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    const at::Tensor weight = at::randn({1000}).to(dtype);
    const Quantized4 narrow = quantize_codebook4(weight, test::nf4_rule(), 64);
    const Quantized4 wide = quantize_codebook4(weight.to(at::kFloat), test::nf4_rule(), 64);
    BOOST_TEST(narrow.packed.equal(wide.packed));
    BOOST_TEST(narrow.absmax.equal(wide.absmax));
  }
}

BOOST_AUTO_TEST_CASE(a_weight_that_is_a_transposed_view_encodes_in_its_own_order) {
  const at::Tensor weight = at::randn({30, 50}).t();
  const Quantized4 view = quantize_codebook4(weight, test::nf4_rule(), 64);
  BOOST_TEST(
      view.packed.equal(quantize_codebook4(weight.contiguous(), test::nf4_rule(), 64).packed));
}

BOOST_AUTO_TEST_CASE(an_empty_weight_has_no_codes) {
  const Quantized4 encoded = quantize_codebook4(at::empty({0, 8}), test::nf4_rule(), 64);
  BOOST_TEST(encoded.packed.numel() == 0);
  BOOST_TEST(encoded.absmax.numel() == 0);
}

BOOST_AUTO_TEST_CASE(the_histogram_counts_every_code_but_the_padding) {
  const Codebook4 weight{
      at::tensor({0x12, 0x2f}, at::kByte), at::zeros({16}), at::ones({1}), 64, {3}};
  const std::vector<int64_t> codes = code_histogram(weight);
  BOOST_TEST(codes[1] == 1);
  BOOST_TEST(codes[2] == 2);
  BOOST_TEST(codes[15] == 0);
}

BOOST_AUTO_TEST_CASE(refuses_too_few_codes) {
  Codebook4 weight = make(100, 64);
  weight.packed = weight.packed.slice(0, 0, 49);
  BOOST_TEST(refusal([&] { checked(weight); }).message() ==
             "codes has 49 elements of uint8, wanted 50 elements of uint8");
}

BOOST_AUTO_TEST_CASE(refuses_an_absmax_of_another_block_count) {
  Codebook4 weight = make(100, 64);
  weight.absmax = at::ones({3});
  BOOST_TEST(has(refusal([&] { checked(weight); }).message(), "wanted 2 elements of float32"));
}

BOOST_AUTO_TEST_CASE(refuses_an_absmax_of_another_dtype) {
  Codebook4 weight = make(100, 64);
  weight.absmax = weight.absmax.to(at::kBFloat16);
  BOOST_TEST(has(refusal([&] { checked(weight); }).message(), "absmax has 2 elements of bfloat16"));
}

BOOST_AUTO_TEST_CASE(refuses_a_codebook_of_fifteen) {
  Codebook4 weight = make(100, 64);
  weight.codebook = at::ones({15});
  BOOST_TEST(has(refusal([&] { checked(weight); }).message(), "codebook has 15"));
}

BOOST_AUTO_TEST_CASE(refuses_odd_zero_negative_and_huge_block_sizes) {
  for (const int64_t block : {int64_t{0}, int64_t{-64}, int64_t{63}, int64_t{8192}, INT64_MAX}) {
    BOOST_TEST(
        has(refusal([&] { quantize_codebook4(at::ones({4}), test::nf4_rule(), block); }).message(),
            "block size is"));
  }
}

BOOST_AUTO_TEST_CASE(refuses_a_shape_whose_product_overflows) {
  Codebook4 weight = make(100, 64);
  weight.shape = {INT64_MAX, 2};
  BOOST_TEST(has(refusal([&] { checked(weight); }).message(), "is no shape"));
}

BOOST_AUTO_TEST_CASE(refuses_to_decode_to_integers) {
  BOOST_TEST(
      has(refusal([&] { dequantize(make(4, 64), at::kInt); }).message(), "cannot decode to"));
}

BOOST_AUTO_TEST_CASE(refuses_thresholds_out_of_order) {
  const double thresholds[] = {0.5, 0.25};
  BOOST_TEST(has(refusal([&] { code_rule(thresholds, {}, false); }).message(), "ascending"));
}

BOOST_AUTO_TEST_CASE(refuses_thresholds_that_are_not_numbers) {
  const double thresholds[] = {0.5, std::numeric_limits<double>::quiet_NaN(), 0.25};
  BOOST_TEST(has(refusal([&] { code_rule(thresholds, {}, false); }).message(), "ascending"));
}

BOOST_AUTO_TEST_CASE(refuses_codes_that_four_bits_do_not_hold) {
  const double thresholds[] = {0.5};
  const uint32_t codes[] = {0, 16}, signed_codes[] = {0, 8};
  BOOST_TEST(has(refusal([&] { code_rule(thresholds, codes, false); }).message(), "code 16"));
  BOOST_TEST(has(refusal([&] { code_rule(thresholds, signed_codes, true); }).message(), "code 8"));
}

BOOST_AUTO_TEST_CASE(refuses_as_many_codes_as_thresholds) {
  const double thresholds[] = {0.25, 0.5};
  const uint32_t codes[] = {0, 1};
  BOOST_TEST(has(refusal([&] { code_rule(thresholds, codes, false); }).message(), "one more"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
