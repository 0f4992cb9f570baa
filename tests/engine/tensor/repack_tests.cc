#include "engine/tensor/repack.h"

#include <array>
#include <boost/test/unit_test.hpp>

#include "engine/tensor/bits.h"
#include "engine/tensor/bitstream.h"
#include "engine/tensor/kernels.h"
#include "tests/engine/tensor/tensors.h"
#include "tests/support/refusal.h"

namespace qspec {
namespace {

using test::has;
using test::refusal;

const std::vector<int64_t> kBits = {1, 2, 3, 4, 5, 6, 7, 8};
const std::vector<at::ScalarType> kWords = {at::kByte, at::kShort, at::kInt, at::kLong};

at::Tensor random_words(at::IntArrayRef shape, at::ScalarType dtype) {
  std::vector<int64_t> bytes = shape.vec();
  bytes.back() *= static_cast<int64_t>(c10::elementSize(dtype));
  return at::randint(0, 256, bytes, at::kByte).view(dtype);
}

uint8_t field(const at::Tensor& words, int64_t word, int64_t bits, int64_t k) {
  const int64_t size = words.element_size();
  const auto* bytes = static_cast<const uint8_t*>(words.const_data_ptr()) + word * size;
  uint64_t value = 0;
  for (int64_t i = 0; i < size; ++i) value |= uint64_t{bytes[i]} << (8 * i);
  return static_cast<uint8_t>(value >> (bits * k) & ((1u << bits) - 1));
}

// Field k of word w at place order[k] of its n, by the definition.
at::Tensor unpack_slowly(const at::Tensor& words, int64_t bits, const FieldOrder& order) {
  const int64_t n = words.element_size() * 8 / bits;
  std::vector<int64_t> shape = words.sizes().vec();
  shape.back() *= n;
  at::Tensor result = at::empty(shape, at::kByte);
  auto* to = result.mutable_data_ptr<uint8_t>();
  for (int64_t w = 0; w < words.numel(); ++w) {
    for (int64_t k = 0; k < n; ++k) {
      to[w * n + (order.empty() ? k : order[static_cast<size_t>(k)])] = field(words, w, bits, k);
    }
  }
  return result;
}

FieldOrder reversed(int64_t n) {
  FieldOrder order;
  for (int64_t k = n; k > 0; --k) order.push_back(k - 1);
  return order;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(repack_tests)

BOOST_AUTO_TEST_CASE(fields_of_all_words_and_widths_are_unpacked_lowest_first) {
  for (const at::ScalarType dtype : kWords) {
    for (const int64_t bits : kBits) {
      const at::Tensor words = random_words({3, 5}, dtype);
      BOOST_TEST(equal_bits(unpack_fields(words, bits), unpack_slowly(words, bits, {})));
      const FieldOrder order = reversed(words.element_size() * 8 / bits);
      BOOST_TEST(equal_bits(unpack_fields(words, bits, order), unpack_slowly(words, bits, order)));
    }
  }
}

BOOST_AUTO_TEST_CASE(awq_nibbles_go_to_the_columns_that_its_order_names) {
  const at::Tensor word = at::full({1}, 0x76543210, at::kInt);
  const at::Tensor got = unpack_fields(word, 4, {0, 2, 4, 6, 1, 3, 5, 7});
  BOOST_TEST(equal_bits(got, at::tensor({0, 4, 1, 5, 2, 6, 3, 7}, at::kByte)));
}

BOOST_AUTO_TEST_CASE(streams_of_all_widths_survive_the_way_there_and_back) {
  for (const int64_t bits : kBits) {
    for (const int64_t count : {1, 7, 8, 9, 100}) {
      const at::Tensor codes = at::randint(0, 1 << bits, {2, 3, count}, at::kByte);
      const at::Tensor stream = pack_stream(codes, bits);
      BOOST_TEST(stream.size(-1) == (count * bits + 7) / 8);
      BOOST_TEST(equal_bits(unpack_stream(stream, bits, count), codes));
      const auto* bytes = stream.const_data_ptr<uint8_t>();
      BOOST_TEST(code_at(bytes, static_cast<size_t>(bits), static_cast<size_t>(count) - 1) ==
                 codes[0][0][count - 1].item<int64_t>());
    }
  }
}

BOOST_AUTO_TEST_CASE(three_bits_lie_as_in_three_words_of_32) {
  // Code 10 is the last two bits of the first word and the first of the second.
  const at::Tensor words =
      at::tensor({int64_t{1} << 31, int64_t{1}, int64_t{0}}, at::kLong).to(at::kInt);
  const at::Tensor codes = unpack_stream(words.reshape({1, 3}), 3, 32);
  BOOST_TEST(codes[0][10].item<int64_t>() == 0b110);
  BOOST_TEST(codes.sum().item<int64_t>() == 0b110);
}

BOOST_AUTO_TEST_CASE(unpacking_leaves_the_padding_of_rows_alone) {
  const at::Tensor stream = random_words({4, 3}, at::kInt);
  const at::Tensor all = unpack_stream(stream, 5, 19);
  BOOST_TEST(equal_bits(unpack_stream(stream, 5, 10), all.narrow(1, 0, 10).contiguous()));
}

BOOST_AUTO_TEST_CASE(words_of_all_sizes_are_transposed) {
  for (const at::ScalarType dtype : {at::kByte, at::kHalf, at::kInt, at::kLong}) {
    for (const auto& [rows, columns] :
         {std::pair{1, 1}, {3, 200}, {200, 3}, {64, 64}, {129, 65}, {300, 128}}) {
      const at::Tensor words = random_words({2, rows, columns}, dtype);
      BOOST_TEST(equal_bits(transpose_words(words), words.transpose(1, 2).contiguous()));
    }
  }
}

BOOST_AUTO_TEST_CASE(all_versions_transpose_a_tile_alike) {
  constexpr size_t kWords = WordTile::kWords;
  alignas(64) std::array<std::array<uint32_t, 2 * kWords>, kWords> from{}, to{};
  for (uint32_t r = 0; r < kWords; ++r) {
    for (uint32_t c = 0; c < 2 * kWords; ++c) from[r][c] = 100 * r + c;
  }
  for (const Simd level : {Simd::kPlain, Simd::kAvx2, Simd::kAvx512}) {
    if (!has_simd(level)) continue;
    for (const size_t offset : {0, 3, 16}) {
      for (const bool streamed : {false, true}) {
        for (auto& row : to) row.fill(7);
        kernels(level).transpose_tile(
            {reinterpret_cast<const uint8_t*>(from[0].data() + 5), sizeof from[0],
             reinterpret_cast<uint8_t*>(to[0].data() + offset), sizeof to[0], streamed});
        for (uint32_t r = 0; r < kWords; ++r) {
          for (uint32_t c = 0; c < 2 * kWords; ++c) {
            const bool inside = c >= offset && c < offset + kWords;
            BOOST_TEST(to[r][c] == (inside ? 100 * (c - offset) + r + 5 : 7));
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(large_results_are_streamed_to_the_same_place) {
  const at::Tensor words = random_words({2048, 2064}, at::kInt);
  BOOST_TEST(equal_bits(transpose_words(words), words.t().contiguous()));
  const at::Tensor codes = unpack_fields(words, 4);
  BOOST_TEST(equal_bits(transpose_fields(words, 4), pack_stream(codes.t().contiguous(), 4)));
}

BOOST_AUTO_TEST_CASE(a_view_is_transposed_as_what_it_shows) {
  const at::Tensor words = random_words({40, 50}, at::kInt).t();
  BOOST_TEST(equal_bits(transpose_words(words), words.t().contiguous()));
}

BOOST_AUTO_TEST_CASE(fields_of_all_words_and_widths_become_streams_of_their_columns) {
  for (const at::ScalarType dtype : kWords) {
    for (const int64_t bits : kBits) {
      for (const auto& [rows, width] : {std::pair{1, 1}, {7, 3}, {70, 17}, {600, 20}, {1025, 66}}) {
        const at::Tensor words = random_words({rows, width}, dtype);
        const FieldOrder order = reversed(words.element_size() * 8 / bits);
        const at::Tensor codes = unpack_slowly(words, bits, order);
        BOOST_TEST(
            equal_bits(transpose_fields(words, bits, order),
                       pack_stream(codes.t().contiguous(), bits)),
            "bits " << bits << " in " << c10::toString(dtype) << ", " << rows << " x " << width);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(fields_of_a_batch_are_transposed_matrix_by_matrix) {
  const at::Tensor words = random_words({3, 21, 5}, at::kInt);
  const at::Tensor got = transpose_fields(words, 4);
  BOOST_TEST(got.sizes() == at::IntArrayRef({3, 40, 11}));
  for (int64_t i = 0; i < 3; ++i) {
    BOOST_TEST(equal_bits(got[i].contiguous(), transpose_fields(words[i], 4)));
  }
}

BOOST_AUTO_TEST_CASE(tensors_without_elements_stay_so) {
  const at::Tensor none = at::empty({0, 4}, at::kInt);
  BOOST_TEST(unpack_fields(none, 4).sizes() == at::IntArrayRef({0, 32}));
  BOOST_TEST(transpose_words(none).sizes() == at::IntArrayRef({4, 0}));
  BOOST_TEST(transpose_fields(none, 4).sizes() == at::IntArrayRef({32, 0}));
  BOOST_TEST(transpose_fields(none.t(), 4).sizes() == at::IntArrayRef({0, 2}));
  BOOST_TEST(unpack_stream(none, 3, 0).sizes() == at::IntArrayRef({0, 0}));
}

BOOST_AUTO_TEST_CASE(refuses_what_cannot_be_unpacked) {
  const at::Tensor words = at::zeros({2, 4}, at::kInt);
  const auto refused = [](auto body) { return refusal(body).message(); };
  BOOST_TEST(has(refused([&] { unpack_fields(words, 0); }), "codes of 0 bits, wanted 1 to 8"));
  BOOST_TEST(has(refused([&] { unpack_fields(at::zeros({4}), 4); }), "words are float32"));
  BOOST_TEST(has(refused([&] {
                   unpack_fields(words, 4, {0, 1});
                 }),
                 "has 2 positions, wanted each of 0 to 7"));
  BOOST_TEST(has(refused([&] { unpack_fields(words, 4, {0, 1, 2, 3, 4, 5, 6, 6}); }), "once"));
  BOOST_TEST(has(refused([&] { unpack_stream(words, 3, 43); }), "16 bytes, too few for 43 codes"));
  BOOST_TEST(has(refused([&] { unpack_stream(words, 3, -1); }), "too few for -1 codes"));
  BOOST_TEST(has(refused([&] { transpose_words(at::zeros({4})); }), "has no transpose"));
  BOOST_TEST(has(refused([&] {
                   transpose_words(at::zeros({4, 4}, at::kComplexDouble));
                 }),
                 "16 bytes"));
  BOOST_TEST(
      has(refused([&] { transpose_fields(at::zeros({4}, at::kInt), 4); }), "wanted at least 2"));
}

BOOST_AUTO_TEST_CASE(refuses_a_code_that_its_bits_do_not_hold) {
  const at::Tensor codes = at::tensor({1, 7, 8}, at::kByte);
  BOOST_TEST(has(refusal([&] { pack_stream(codes, 3); }).message(), "element 2 is code 8"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
