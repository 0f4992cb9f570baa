#include "engine/tensor/coded.h"

#include <ATen/ops/randn_like.h>

#include <array>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "engine/tensor/bits.h"
#include "engine/tensor/bitstream.h"
#include "engine/tensor/code_values.h"
#include "engine/tensor/coded_rows.h"
#include "engine/tensor/coded_weight.h"
#include "engine/tensor/exponents.h"
#include "engine/tensor/repack.h"
#include "tests/engine/tensor/tensors.h"
#include "tests/support/refusal.h"

namespace qspec {
namespace {

using test::has;
using test::refusal;

constexpr float kInf = std::numeric_limits<float>::infinity();

at::Tensor floats(const std::vector<float>& values) {
  at::Tensor result = at::empty({static_cast<int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), result.mutable_data_ptr<float>());
  return result;
}

// A weight of random codes in rows a little longer than need be.
Coded random_weight(int64_t bits, std::vector<int64_t> shape, int64_t block_rows,
                    int64_t block_columns) {
  Coded weight;
  weight.bits = bits;
  weight.shape = std::move(shape);
  weight.block_rows = block_rows;
  weight.block_columns = block_columns;
  const int64_t columns = weight.shape.back(), rows = row_count(weight);
  weight.codes = at::randint(0, 256, {rows, (columns * bits + 7) / 8 + 1}, at::kByte);
  weight.values = at::randn({int64_t{1} << bits});
  const int64_t row_groups = (rows + block_rows - 1) / block_rows;
  weight.scales = at::randn({row_groups, (columns + block_columns - 1) / block_columns});
  return weight;
}

float rounded(float x, std::optional<at::ScalarType> step) {
  if (!step) return x;
  return at::scalar_tensor(x, at::kFloat).to(*step).to(at::kFloat).item<float>();
}

// The definition, element by element; for weights of two dimensions.
at::Tensor slowly(const Coded& weight) {
  const int64_t rows = weight.shape[0], columns = weight.shape[1];
  const auto* codes = weight.codes.const_data_ptr<uint8_t>();
  at::Tensor result = at::empty({rows, columns});
  auto* to = result.mutable_data_ptr<float>();
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      const int64_t g =
          weight.groups.defined() ? weight.groups[c].item<int64_t>() : c / weight.block_columns;
      const auto of = [&](const at::Tensor& part) {
        return part[r / weight.block_rows][g].item<float>();
      };
      const uint32_t code = code_at(codes + r * weight.codes.size(1),
                                    static_cast<size_t>(weight.bits), static_cast<size_t>(c));
      float x = weight.values[code].item<float>();
      if (weight.zeros.defined()) x -= of(weight.zeros);
      x = rounded(x, weight.step) * of(weight.scales);
      if (weight.shifts.defined()) x = rounded(x, weight.step) + of(weight.shifts);
      to[r * columns + c] = x;
    }
  }
  return result;
}

void check_decodes(const Coded& weight) {
  const at::Tensor got = dequantize(checked(weight), at::kFloat), wanted = slowly(weight);
  BOOST_TEST(equal_bits(got, wanted), "bits " << weight.bits << ", columns " << weight.shape[1]
                                              << ", block " << weight.block_columns);
}

std::vector<uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<uint32_t> bits;
  for (const float value : values) {
    bits.push_back(std::isnan(value) ? 0x7fc00000 : std::bit_cast<uint32_t>(value));
  }
  return bits;
}

at::Tensor row_of(std::initializer_list<int> bytes) {
  at::Tensor result = at::empty({1, static_cast<int64_t>(bytes.size())}, at::kByte);
  std::transform(bytes.begin(), bytes.end(), result.mutable_data_ptr<uint8_t>(),
                 [](int byte) { return static_cast<uint8_t>(byte); });
  return result;
}

void make_extreme(at::Tensor& values) {
  const std::array<float, 8> extremes{0.0f, -0.0f, kInf, -kInf, std::nanf(""), 1e-45f, 3.4e38f, -1};
  std::copy(extremes.begin(), extremes.begin() + std::min<int64_t>(8, values.numel()),
            values.mutable_data_ptr<float>());
}

std::vector<float> decoded_by(Simd level, const CodedRow& row, size_t first, size_t count) {
  std::vector<float> result(count + 2, -7.0f);
  kernels(level).decode_coded(row, first, count, result.data() + 1, false);
  BOOST_TEST(result.front() == -7.0f);
  BOOST_TEST(result.back() == -7.0f);
  return result;
}

using ToHalves = void (*)(const CodedRow& row, size_t first, size_t count, uint16_t* to,
                          bool streamed);

// NaNs as one of them: which one may differ.
std::vector<uint16_t> halves_by(ToHalves decode, uint16_t infinity, const CodedRow& row,
                                size_t first, size_t count) {
  std::vector<uint16_t> result(count + 2, 0x1234);
  decode(row, first, count, result.data() + 1, false);
  BOOST_TEST(result.front() == 0x1234);
  BOOST_TEST(result.back() == 0x1234);
  for (uint16_t& half : result) {
    if ((half & 0x7fff) > infinity) half = 0xffff;
  }
  return result;
}

void check_halves(Simd level, const CodedRow& row, size_t first, size_t count) {
  const Kernels &fast = kernels(level), &plain = kernels(Simd::kPlain);
  BOOST_TEST(halves_by(fast.decode_coded_to_half, 0x7c00, row, first, count) ==
             halves_by(plain.decode_coded_to_half, 0x7c00, row, first, count));
  BOOST_TEST(halves_by(fast.decode_coded_to_bfloat16, 0x7f80, row, first, count) ==
             halves_by(plain.decode_coded_to_bfloat16, 0x7f80, row, first, count));
}

// Every fast version of this machine against the plain one, from column `first` on.
void check_versions(const CodedRow& row, size_t first, size_t count) {
  for (const Simd level : {Simd::kAvx2, Simd::kAvx512}) {
    if (!has_simd(level)) continue;
    BOOST_TEST(bits_of(decoded_by(level, row, first, count)) ==
                   bits_of(decoded_by(Simd::kPlain, row, first, count)),
               "bits " << row.bits << ", from " << first << ", count " << count << ", block "
                       << row.block << ", high nibble first " << row.high_first);
    check_halves(level, row, first, count);
  }
}

// At offsets of all kinds.
void check_versions(const Coded& weight) {
  const CodedRows rows(checked(weight));
  const auto columns = static_cast<size_t>(weight.shape[1]);
  for (const size_t first : {0, 1, 3, 7, 8, 21, 40}) {
    for (const int64_t number : {int64_t{0}, weight.shape[0] - 1}) {
      if (first >= columns) continue;
      for (const size_t count : {columns - first, (columns - first + 1) / 2}) {
        CodedRows::Room room;
        CodedRow row = rows.row(number, 0, weight.shape[1], room);
        check_versions(row, first, count);
        row.high_first = row.bits == 4;
        if (row.high_first) check_versions(row, first, count);
      }
    }
  }
}

const std::vector<int64_t> kBits = {1, 2, 3, 4, 5, 6, 7, 8};

}  // namespace

BOOST_AUTO_TEST_SUITE(coded_tests)

BOOST_AUTO_TEST_CASE(a_code_stands_for_its_value_less_its_zero_times_its_scale_plus_its_shift) {
  Coded weight;
  weight.codes = row_of({0x21, 0x43});
  weight.bits = 4;
  weight.values = at::arange(16);
  weight.scales = floats({10, 100});
  weight.zeros = floats({1, 2});
  weight.shifts = floats({0.5, 0.25});
  weight.block_rows = 1;
  weight.block_columns = 2;
  weight.shape = {1, 4};
  const at::Tensor wanted = floats({0.5, 10.5, 100.25, 200.25}).reshape({1, 4});
  BOOST_TEST(equal_bits(dequantize(checked(weight), at::kFloat), wanted));
}

BOOST_AUTO_TEST_CASE(all_widths_and_grids_decode_as_defined) {
  for (const int64_t bits : kBits) {
    for (const int64_t columns : {1, 17, 64, 131}) {
      for (const int64_t block : {1, 5, 16, 64, 200}) {
        check_decodes(random_weight(bits, {5, columns}, block == 5 ? 2 : 1, block));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(zeros_shifts_and_steps_decode_as_defined) {
  for (const int64_t bits : {2, 4, 8}) {
    for (const bool constant : {false, true}) {
      for (const int with : {1, 2, 3}) {
        for (const auto step : {std::optional<at::ScalarType>(), std::make_optional(at::kHalf),
                                std::make_optional(at::kBFloat16)}) {
          Coded weight = random_weight(bits, {3, 50}, 1, 16);
          weight.step = step;
          if ((with & 1) != 0) weight.zeros = at::randn({3, 4});
          if ((with & 1) != 0 && constant) weight.zeros.fill_(7.3);
          if ((with & 2) != 0) weight.shifts = at::randn({3, 4});
          check_decodes(weight);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(columns_may_be_in_groups_of_any_order) {
  for (const int64_t bits : kBits) {
    for (const int64_t groups : {1, 3, 40, 300}) {
      Coded weight = random_weight(bits, {4, 77}, 1, 16);
      weight.scales = at::randn({4, groups});
      weight.zeros = at::randn({4, groups});
      weight.groups = at::randint(0, groups, {77}, at::kLong);
      check_decodes(weight);
    }
  }
}

BOOST_AUTO_TEST_CASE(bytes_that_are_numbers_of_a_known_kind_decode_as_defined) {
  const at::Tensor counting = at::arange(256).to(at::kFloat);
  at::Tensor twos_complement = counting.clone();
  for (int code = 128; code < 256; ++code) twos_complement[code] = code - 256;
  for (const at::Tensor& values : {counting, counting - 128, twos_complement, counting + 0.5}) {
    Coded weight = random_weight(8, {3, 100}, 1, 32);
    weight.values = values;
    check_decodes(weight);
    weight.zeros = at::randn({3, 4});
    check_decodes(weight);
  }
}

BOOST_AUTO_TEST_CASE(values_are_recognised_by_their_content_alone) {
  std::vector<float> values = e4m3_values();
  BOOST_TEST((recognise(values.data(), 8).kind == CodeValues::kE4m3));
  values[3] = -values[3];
  BOOST_TEST((recognise(values.data(), 8).kind == CodeValues::kTable));
  for (size_t code = 0; code < 256; ++code) values[code] = static_cast<float>(code) - 8;
  BOOST_TEST((recognise(values.data(), 8).kind == CodeValues::kOffset));
  BOOST_TEST(recognise(values.data(), 8).base == -8);
  values[8] = -0.0f;
  BOOST_TEST((recognise(values.data(), 8).kind == CodeValues::kTable));
  const std::vector<float> int2 = {0, 1, -2, -1};
  BOOST_TEST((recognise(int2.data(), 2).kind == CodeValues::kSigned));
}

BOOST_AUTO_TEST_CASE(values_of_e4m3_are_those_of_torch) {
  const at::Tensor wanted = at::arange(256).to(at::kByte).view(at::kFloat8_e4m3fn).to(at::kFloat);
  const std::vector<float> values = e4m3_values();
  for (int64_t code = 0; code < 256; ++code) {
    const float value = wanted[code].item<float>(), ours = values[static_cast<size_t>(code)];
    BOOST_TEST((std::isnan(value) ? std::isnan(ours)
                                  : std::bit_cast<int>(value) == std::bit_cast<int>(ours)));
  }
}

BOOST_AUTO_TEST_CASE(all_versions_decode_codes_to_the_same_bits) {
  for (const int64_t bits : kBits) {
    for (const int64_t columns : {9, 33, 130}) {
      for (const int64_t block : {3, 16, 32, 1000}) {
        Coded weight = random_weight(bits, {2, columns}, 1, block);
        check_versions(weight);
        make_extreme(weight.values);
        make_extreme(weight.scales);
        weight.zeros = at::randn_like(weight.scales);
        weight.shifts = at::randn_like(weight.scales);
        make_extreme(weight.shifts);
        check_versions(weight);
        weight.step = at::kHalf;
        check_versions(weight);
        weight.groups = at::randint(0, weight.scales.size(1), {columns}, at::kInt);
        check_versions(weight);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(all_versions_find_the_scales_of_columns_in_any_number_of_groups) {
  for (const int64_t groups : {1, 31, 32, 33, 64, 65, 128, 129, 255, 256, 257, 300}) {
    Coded weight = random_weight(4, {2, 200}, 1, 16);
    weight.groups = at::randint(0, groups, {200}, at::kInt);
    weight.groups[17] = groups - 1;
    weight.scales = at::randn({2, groups});
    check_versions(weight);
    weight.zeros = at::randn({2, groups});
    check_versions(weight);
  }
}

BOOST_AUTO_TEST_CASE(all_versions_convert_bytes_to_the_same_bits) {
  const at::Tensor counting = at::arange(256).to(at::kFloat);
  at::Tensor twos_complement = counting.clone();
  for (int code = 128; code < 256; ++code) twos_complement[code] = code - 256;
  for (const at::Tensor& values :
       {counting, counting - 128, twos_complement, floats(e4m3_values())}) {
    Coded weight = random_weight(8, {2, 512}, 1, 48);
    for (int64_t c = 0; c < 256; ++c) weight.codes[0][c] = c;
    weight.values = values;
    check_versions(weight);
    weight.groups = at::randint(0, 11, {512}, at::kInt);
    weight.scales.mutable_data_ptr<float>()[3] = kInf;
    check_versions(weight);
  }
}

BOOST_AUTO_TEST_CASE(all_versions_count_codes_of_any_width_to_the_same_bits) {
  for (const int64_t bits : kBits) {
    const at::Tensor counting = at::arange(int64_t{1} << bits).to(at::kFloat);
    const int64_t half = int64_t{1} << (bits - 1);
    const at::Tensor twos_complement = (counting + half).remainder(2 * half) - half;
    for (const at::Tensor& values : {counting, counting - 3, twos_complement}) {
      Coded weight = random_weight(bits, {2, 200}, 1, 48);
      weight.values = values.contiguous();
      check_decodes(weight);
      check_versions(weight);
    }
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_read_behind_the_last_code) {
  for (const int64_t bits : kBits) {
    Coded weight = random_weight(bits, {1, 64}, 1, 64);
    // Of exactly the size: a sanitizer would see one byte more.
    weight.codes = at::randint(0, 256, {1, 8 * bits}, at::kByte);
    check_decodes(weight);
  }
}

BOOST_AUTO_TEST_CASE(stretches_may_begin_anywhere_and_straddle_rows) {
  const Coded weight = checked(random_weight(3, {40, 23}, 1, 8));
  const at::Tensor whole = dequantize(weight, at::kFloat).flatten();
  const FloatSource source = float_source(weight);
  std::array<float, kStretch> buffer;
  for (const int64_t begin : {0, 1, 22, 23, 500}) {
    for (const int64_t count : {1, 24, 400}) {
      const float* got = source(begin, count, buffer.data());
      BOOST_TEST(std::memcmp(got, whole.const_data_ptr<float>() + begin,
                             static_cast<size_t>(count) * sizeof(float)) == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(half_types_are_the_floats_cast_once) {
  const Coded weight = checked(random_weight(4, {64, 300}, 1, 32));
  const at::Tensor wanted = dequantize(weight, at::kFloat);
  for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    BOOST_TEST(equal_bits(dequantize(weight, dtype), wanted.to(dtype)));
  }
}

// Rows of 2112 and 2100 columns: those of the second lie at no multiple of a line.
BOOST_AUTO_TEST_CASE(large_results_are_streamed_to_the_same_place) {
  for (const int64_t columns : {2112, 2100}) {
    for (const int64_t bits : {4, 6}) {
      const Coded weight = checked(random_weight(bits, {8192, columns}, 1, 64));
      const at::Tensor wanted = dequantize(weight, at::kFloat);
      const FloatSource source = float_source(weight);
      std::array<float, kStretch> buffer;
      for (const int64_t begin : {int64_t{0}, 4000 * columns + 17, 8191 * columns}) {
        const float* row = source(begin, 2000, buffer.data());
        BOOST_TEST(std::memcmp(row, wanted.const_data_ptr<float>() + begin, 8000) == 0);
      }
      BOOST_TEST(equal_bits(dequantize(weight, at::kBFloat16), wanted.to(at::kBFloat16)));
      BOOST_TEST(equal_bits(dequantize(weight, at::kHalf), wanted.to(at::kHalf)));
    }
  }
}

BOOST_AUTO_TEST_CASE(scales_of_other_dtypes_are_converted_exactly) {
  for (const at::ScalarType dtype :
       {at::kHalf, at::kBFloat16, at::kFloat8_e4m3fn, at::kChar, at::kFloat8_e8m0fnu}) {
    Coded weight = random_weight(4, {2, 32}, 1, 16);
    weight.scales = floats({1, 2, 4, 8}).to(dtype).reshape({2, 2});
    const at::Tensor got = dequantize(checked(weight), at::kFloat);
    weight.scales = floats({1, 2, 4, 8}).reshape({2, 2});
    BOOST_TEST(equal_bits(got, slowly(weight)));
  }
}

BOOST_AUTO_TEST_CASE(row_groups_begin_anew_with_each_matrix) {
  Coded weight = random_weight(8, {2, 3, 4}, 1, 4);
  weight.values = at::ones({256});
  weight.block_rows = 2;
  weight.scales = floats({1, 2, 3, 4});  // two groups of each matrix's three rows
  const at::Tensor got = dequantize(checked(weight), at::kFloat).select(2, 0).flatten();
  BOOST_TEST(equal_bits(got, floats({1, 1, 2, 3, 3, 4})));
  weight.scales = floats({1, 2, 3});  // three of all six
  const at::Tensor together = dequantize(checked(weight), at::kFloat).select(2, 0).flatten();
  BOOST_TEST(equal_bits(together, floats({1, 1, 2, 2, 3, 3})));
}

BOOST_AUTO_TEST_CASE(a_weight_without_elements_decodes_to_none) {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{0, 8}, {8, 0}}) {
    Coded weight = random_weight(4, shape, 1, 4);
    BOOST_TEST(dequantize(checked(weight), at::kHalf).numel() == 0);
  }
}

BOOST_AUTO_TEST_CASE(refuses_parts_that_do_not_fit_each_other) {
  const auto refused = [](auto spoil) {
    Coded weight = random_weight(4, {2, 32}, 1, 16);
    spoil(weight);
    return refusal([&] { checked(weight); }).message();
  };
  BOOST_TEST(has(refused([](Coded& w) { w.bits = 9; }), "codes of 9 bits, wanted 1 to 8"));
  BOOST_TEST(has(refused([](Coded& w) { w.codes = at::zeros({31}, at::kByte); }),
                 "31 bytes for 2 rows, wanted at least 16"));
  BOOST_TEST(
      has(refused([](Coded& w) { w.codes = at::zeros({33}, at::kByte); }), "33 bytes for 2 rows"));
  BOOST_TEST(has(refused([](Coded& w) { w.values = at::zeros({15}); }), "values has 15 elements"));
  BOOST_TEST(has(refused([](Coded& w) {
                   w.scales = at::zeros({2, 3});
                 }),
                 "scales has 6 elements, wanted 2 x 2"));
  BOOST_TEST(has(refused([](Coded& w) { w.zeros = at::zeros({2, 3}); }), "zeros has 6 elements"));
  BOOST_TEST(has(refused([](Coded& w) { w.shifts = at::zeros({1}); }), "shifts has 1 elements"));
  BOOST_TEST(has(refused([](Coded& w) { w.block_columns = 0; }), "by 0 columns"));
  BOOST_TEST(has(refused([](Coded& w) { w.shape = {64}; }), "1 dimensions"));
  BOOST_TEST(has(refused([](Coded& w) { w.shape = {-2, 32}; }), "no shape"));
  BOOST_TEST(has(refused([](Coded& w) { w.shape = {1, int64_t{1} << 62}; }), "too many"));
  BOOST_TEST(has(refused([](Coded& w) { w.step = at::kDouble; }), "rounded to float64"));
  BOOST_TEST(has(refused([](Coded& w) {
                   w.scales = at::zeros({2, 2}, at::kComplexFloat);
                 }),
                 "complex"));
}

BOOST_AUTO_TEST_CASE(refuses_a_column_in_a_group_that_has_no_scale) {
  Coded weight = random_weight(4, {2, 32}, 1, 16);
  weight.groups = at::zeros({32}, at::kLong);
  weight.groups[5] = 2;
  BOOST_TEST(
      has(refusal([&] { checked(weight); }).message(), "column 5 is in group 2, wanted 0 to 1"));
  weight.groups[5] = -1;
  BOOST_TEST(has(refusal([&] { checked(weight); }).message(), "column 5 is in group -1"));
  weight.groups[5] = (int64_t{1} << 32) + 1;
  BOOST_TEST(has(refusal([&] { checked(weight); }).message(), "in group 4294967297"));
  weight.groups = at::zeros({32});
  BOOST_TEST(has(refusal([&] { checked(weight); }).message(), "wanted integers"));
}

BOOST_AUTO_TEST_CASE(comparing_coded_weights_equals_decoding_and_comparing) {
  for (const int64_t block : {16, 20, 4096}) {
    const CodedWeight packed(random_weight(4, {7, 320}, 1, block));
    const at::Tensor baseline = at::randn({7, 320});
    const Comparison got = packed.compare(baseline);
    const Comparison wanted =
        compare(packed.decode(at::kFloat), baseline, block == 4096 ? 320 : block);
    BOOST_TEST(got.error_squares == wanted.error_squares);
    BOOST_TEST(got.worst_block == wanted.worst_block);
    BOOST_TEST(got.max_error_index == wanted.max_error_index);
  }
}

BOOST_AUTO_TEST_CASE(statistics_count_the_codes_of_the_weight_and_not_its_padding) {
  for (const int64_t bits : kBits) {
    const Coded weight = random_weight(bits, {300, 37}, 1, 8);
    std::vector<int64_t> wanted(size_t{1} << bits);
    for (size_t r = 0; r < 300; ++r) {
      const auto* row = weight.codes.const_data_ptr<uint8_t>() + r * weight.codes.size(1);
      for (size_t c = 0; c < 37; ++c) ++wanted[code_at(row, static_cast<size_t>(bits), c)];
    }
    const CodeStatistics got = CodedWeight(weight).statistics();
    BOOST_TEST(got.histogram == wanted, boost::test_tools::per_element());
    BOOST_TEST(got.lowest_code == 0);
    BOOST_TEST(got.scales == 300 * 5);
  }
}

BOOST_AUTO_TEST_CASE(statistics_count_signed_codes_from_the_lowest) {
  Coded weight = random_weight(2, {1, 4}, 1, 4);
  weight.codes = row_of({0b11'10'10'01});
  weight.scales = floats({0});
  weight.values = floats({0, 1, -2, -1});
  const CodeStatistics twos_complement = CodedWeight(weight).statistics();
  BOOST_TEST(twos_complement.lowest_code == -2);
  BOOST_TEST(twos_complement.histogram == std::vector<int64_t>({2, 1, 0, 1}),
             boost::test_tools::per_element());
  BOOST_TEST(twos_complement.zero_scales == 1);
  weight.values = floats({-2, -1, 0, 1});
  const CodeStatistics offset = CodedWeight(weight).statistics();
  BOOST_TEST(offset.lowest_code == -2);
  BOOST_TEST(offset.histogram == std::vector<int64_t>({0, 1, 2, 1}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(exponents_refuse_what_is_no_byte) {
  BOOST_TEST(has(refusal([] { powers_of_two(at::zeros({1}, at::kChar)); }).message(), "int8"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
