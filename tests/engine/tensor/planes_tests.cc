#include "engine/tensor/planes.h"

#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

#include "engine/tensor/bits.h"
#include "engine/tensor/coded.h"
#include "engine/tensor/coded_weight.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/repack.h"
#include "tests/engine/tensor/tensors.h"
#include "tests/support/refusal.h"

namespace qspec {
namespace {

using test::has;
using test::refusal;

// A weight of random words, somewhat more of them than it needs.
Coded in_planes(int bits, at::ScalarType word, std::vector<int64_t> planes, int64_t rows,
                int64_t columns) {
  const auto count = static_cast<int64_t>(planes.size());
  const int64_t words = (rows * columns + count - 1) / count;
  const auto bytes = static_cast<int64_t>(c10::elementSize(word));
  Coded weight;
  weight.codes = at::randint(0, 256, {words * bytes}, at::kByte).view(word);
  weight.planes = std::move(planes);
  weight.bits = bits;
  weight.values = at::randn({int64_t{1} << bits});
  weight.block_rows = 1;
  weight.block_columns = 16;
  weight.scales = at::randn({rows, (columns + 15) / 16});
  weight.zeros = at::randn(weight.scales.sizes());
  weight.shape = {rows, columns};
  return weight;
}

// The same with a stream of bytes, by the definition in coded.h.
Coded in_rows(Coded weight) {
  const int64_t rows = weight.shape[0], columns = weight.shape[1], words = weight.codes.numel();
  const at::Tensor wide = weight.codes.to(at::kLong);
  at::Tensor codes = at::empty({rows, columns}, at::kByte);
  for (int64_t e = 0; e < rows * columns; ++e) {
    const auto shift = weight.planes[static_cast<size_t>(e / words)];
    codes.view({-1})[e] = wide[e % words].item<int64_t>() >> shift & ((1 << weight.bits) - 1);
  }
  weight.codes = pack_stream(codes, weight.bits);
  weight.planes.clear();
  return weight;
}

const std::vector<std::vector<int64_t>> kShapes = {{4, 64}, {5, 7}, {3, 1}, {10, 33}, {7, 130}};

BOOST_AUTO_TEST_SUITE(planes_tests)

BOOST_AUTO_TEST_CASE(planes_decode_as_the_same_codes_in_rows) {
  at::manual_seed(1);
  struct Kind {
    int bits;
    at::ScalarType word;
    std::vector<int64_t> planes;
  };
  const std::vector<Kind> kinds = {{4, at::kByte, {4, 0}},
                                   {2, at::kByte, {0, 2, 4, 6}},
                                   {1, at::kByte, {7, 6, 5, 4, 3, 2, 1, 0}},
                                   {3, at::kInt, {27, 24, 21, 18, 15, 12, 9, 6, 3, 0}},
                                   {3, at::kShort, {0, 6, 13}},
                                   {4, at::kByte, {2}}};
  for (const Kind& kind : kinds) {
    for (const auto& shape : kShapes) {
      const Coded weight = in_planes(kind.bits, kind.word, kind.planes, shape[0], shape[1]);
      const CodedWeight planes(weight), rows(in_rows(weight));
      for (const at::ScalarType dtype : {at::kFloat, at::kHalf, at::kBFloat16}) {
        BOOST_TEST(equal_bits(planes.decode(dtype), rows.decode(dtype)),
                   kind.bits << " bits, columns " << shape[1]);
      }
      BOOST_TEST(planes.statistics().histogram == rows.statistics().histogram);
    }
  }
}

BOOST_AUTO_TEST_CASE(signed_codes_in_planes_keep_their_signs) {
  at::manual_seed(5);
  Coded weight = in_planes(2, at::kByte, {0, 2, 4, 6}, 6, 200);
  weight.values = at::tensor({0.0f, 1.0f, -2.0f, -1.0f});
  const CodedWeight planes(weight), rows(in_rows(weight));
  BOOST_TEST(equal_bits(planes.decode(at::kFloat), rows.decode(at::kFloat)));
  BOOST_TEST(planes.statistics().lowest_code == -2);
}

BOOST_AUTO_TEST_CASE(a_large_weight_in_planes_is_decoded_whole) {
  at::manual_seed(2);
  const Coded weight = in_planes(4, at::kByte, {4, 0}, 301, 1111);
  BOOST_TEST(equal_bits(CodedWeight(weight).decode(at::kBFloat16),
                        CodedWeight(in_rows(weight)).decode(at::kBFloat16)));
}

BOOST_AUTO_TEST_CASE(planes_are_compared_from_any_element_on) {
  at::manual_seed(3);
  const Coded weight = in_planes(3, at::kInt, {20, 3, 11}, 9, 77);
  const FloatSource planes = float_source(checked(weight)),
                    rows = float_source(checked(in_rows(weight)));
  for (const int64_t begin : {0, 1, 76, 77, 230, 231, 500}) {
    std::vector<float> got(150), wanted(150);
    planes(begin, 150, got.data());
    rows(begin, 150, wanted.data());
    BOOST_TEST(got == wanted);
  }
}

BOOST_AUTO_TEST_CASE(fields_of_words_are_equal_whatever_the_version) {
  std::mt19937 random(4);
  std::vector<uint8_t> words(4 * 300);
  for (uint8_t& byte : words) byte = static_cast<uint8_t>(random());
  for (const size_t bytes : {1, 2, 4}) {
    for (int bits = 1; bits <= 4; ++bits) {
      for (int shift = 0; shift + bits <= static_cast<int>(8 * bytes); ++shift) {
        const WordField field{words.data(), bytes, shift, bits};
        for (const size_t count : {0, 1, 2, 15, 64, 127, 128, 300}) {
          std::vector<uint8_t> wanted((count + 1) / 2 + 1, 0xaa);
          for (size_t i = 0; i < count; ++i) {
            uint64_t word = 0;
            for (size_t b = 0; b < bytes; ++b) word |= uint64_t{words[i * bytes + b]} << 8 * b;
            const auto code = static_cast<uint8_t>(word >> shift & ((1u << bits) - 1));
            wanted[i / 2] = static_cast<uint8_t>(i % 2 == 0 ? code : wanted[i / 2] | code << 4);
          }
          for (const Simd level : {Simd::kPlain, Simd::kAvx2, Simd::kAvx512}) {
            if (!has_simd(level)) continue;
            std::vector<uint8_t> got(wanted.size(), 0xaa);
            kernels(level).field_nibbles(field, count, got.data());
            BOOST_TEST(got == wanted);
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(planes_that_are_not_in_their_words_are_refused) {
  Coded weight = in_planes(4, at::kByte, {4, 0}, 4, 32);
  const auto refused = [](const Coded& wrong) {
    return std::string(refusal([&] { checked(wrong); }).what());
  };
  weight.planes = {0, 5};
  BOOST_TEST(has(refused(weight), "at bit 5, wanted within words of 8"));
  weight.planes = {-1, 4};
  BOOST_TEST(has(refused(weight), "at bit -1"));
  weight.planes = {4};
  BOOST_TEST(has(refused(weight), "64 words in 1 planes are too few for 128 codes"));
  weight.planes = {0, 4};
  weight.codes = weight.codes.to(at::kFloat);
  BOOST_TEST(has(refused(weight), "wanted integers"));
  weight.codes = at::zeros({64}, at::kLong);
  BOOST_TEST(has(refused(weight), "words of 64, wanted at most 4 bits and 32"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
