#include "engine/tensor/kernels.h"

#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace qspec {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
const float kExtremes[] = {0.0f,     -0.0f,    kInf,     -kInf,    std::nanf(""), -std::nanf("1"),
                           65504.0f, 65519.9f, 65520.0f, -6e-8f,   2.9e-8f,       6.1e-5f,
                           1e-40f,   -1e-45f,  3.4e38f,  -3.4e38f, 1.0f,          0.33325195f};

// Every fast version of this machine.
std::vector<Simd> fast_versions() {
  std::vector<Simd> versions;
  for (const Simd level : {Simd::kAvx2, Simd::kAvx512}) {
    if (has_simd(level)) versions.push_back(level);
  }
  return versions;
}

const std::vector<size_t> kCounts = {1, 2, 15, 16, 17, 31, 32, 63, 64, 65, 127, 4097};

std::vector<float> values(size_t count, uint32_t seed, bool extremes) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.1f);
  std::vector<float> result(count);
  for (float& value : result) {
    value = normal(random);
    if (extremes && random() % 7 == 0) value = kExtremes[random() % std::size(kExtremes)];
  }
  return result;
}

std::vector<uint32_t> bits(const std::vector<float>& floats) {
  std::vector<uint32_t> result(floats.size());
  std::memcpy(result.data(), floats.data(), floats.size() * sizeof(float));
  return result;
}

CodeRule signed_rule() {
  CodeRule rule{};
  for (uint32_t i = 0; i < 16; ++i) {
    rule.thresholds[i] = i < 15 ? -0.9f + 0.13f * static_cast<float>(i) : kInf;
    rule.codes[i] = i;
  }
  return rule;
}

CodeRule magnitude_rule() {
  CodeRule rule{};
  const float thresholds[] = {0.0026f, 0.0859375f, 0.2083f, 0.2917f, 0.4167f, 0.5833f, 0.8333f};
  const uint32_t codes[] = {0, 1, 6, 7, 4, 5, 2, 3};
  for (size_t i = 0; i < 16; ++i) rule.thresholds[i] = i < 7 ? thresholds[i] : kInf;
  for (size_t i = 0; i < 8; ++i) rule.codes[i] = codes[i];
  rule.magnitude = true;
  return rule;
}

struct Encoded {
  std::vector<uint8_t> packed;
  std::vector<float> absmax;
};

Encoded encode(Simd level, const float* x, size_t count, size_t block, const CodeRule& rule) {
  Encoded result{std::vector<uint8_t>(count / 2), std::vector<float>((count + block - 1) / block)};
  kernels(level).encode4(x, count, block, rule, result.packed.data(), result.absmax.data());
  return result;
}

void check_encode(const CodeRule& rule) {
  for (const Simd level : fast_versions()) {
    for (const size_t count : {2, 16, 30, 62, 64, 66, 130, 4096}) {
      for (const size_t block : {32, 64, 48, 128, 4096}) {
        // One float off any alignment.
        const auto x = values(count + 1, static_cast<uint32_t>(count * block), true);
        const Encoded wanted = encode(Simd::kPlain, x.data() + 1, count, block, rule);
        const Encoded got = encode(level, x.data() + 1, count, block, rule);
        BOOST_TEST(got.packed == wanted.packed, boost::test_tools::per_element());
        BOOST_TEST(bits(got.absmax) == bits(wanted.absmax), boost::test_tools::per_element());
      }
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kernels_tests)

BOOST_AUTO_TEST_CASE(every_half_widens_to_the_same_float_on_all_versions) {
  std::vector<uint16_t> halves(65536 + 5);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  std::vector<float> wanted(halves.size()), got(halves.size());
  for (const Simd level : fast_versions()) {
    kernels(Simd::kPlain).half_to_float(halves.data(), halves.size(), wanted.data());
    kernels(level).half_to_float(halves.data(), halves.size(), got.data());
    BOOST_TEST(bits(got) == bits(wanted));
    kernels(Simd::kPlain).bfloat16_to_float(halves.data(), halves.size(), wanted.data());
    kernels(level).bfloat16_to_float(halves.data(), halves.size(), got.data());
    BOOST_TEST(bits(got) == bits(wanted));
  }
}

BOOST_AUTO_TEST_CASE(every_finite_half_survives_the_way_to_float_and_back) {
  const Kernels& plain = kernels(Simd::kPlain);
  for (uint32_t i = 0; i < 65536; ++i) {
    const auto half = static_cast<uint16_t>(i);
    if ((half & 0x7c00) == 0x7c00 && (half & 0x3ff) != 0) continue;
    float wide = 0;
    uint16_t back = 0;
    plain.half_to_float(&half, 1, &wide);
    plain.float_to_half(&wide, 1, &back);
    BOOST_REQUIRE_EQUAL(back, half);
  }
}

BOOST_AUTO_TEST_CASE(floats_narrow_to_the_same_halves_on_all_versions) {
  std::mt19937 random(7);
  std::vector<float> floats(100003);
  // Any bit pattern, and the neighbourhood of every half and of the middle between two.
  for (size_t i = 0; i < floats.size(); ++i) {
    uint32_t pattern = random();
    if (i % 2 == 0) pattern = (pattern & 0xfffff000) + (random() % 3) - 1;
    floats[i] = std::bit_cast<float>(pattern);
  }
  for (const float extreme : kExtremes) floats.push_back(extreme);
  std::vector<uint16_t> wanted(floats.size()), got(floats.size());
  for (const Simd level : fast_versions()) {
    kernels(Simd::kPlain).float_to_half(floats.data(), floats.size(), wanted.data());
    kernels(level).float_to_half(floats.data(), floats.size(), got.data());
    BOOST_TEST(got == wanted);
    kernels(Simd::kPlain).float_to_bfloat16(floats.data(), floats.size(), wanted.data());
    kernels(level).float_to_bfloat16(floats.data(), floats.size(), got.data());
    BOOST_TEST(got == wanted);
  }
}

BOOST_AUTO_TEST_CASE(streams_any_count_of_bytes_to_any_address) {
  std::vector<uint8_t> from(300), to(300);
  for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<uint8_t>(i);
  for (const Simd level : fast_versions()) {
    for (const size_t offset : {0, 1, 31, 64}) {
      for (const size_t bytes : {0, 1, 63, 64, 65, 200}) {
        std::fill(to.begin(), to.end(), 0xee);
        kernels(level).stream(from.data() + 3, bytes, to.data() + offset);
        BOOST_TEST(std::equal(from.begin() + 3, from.begin() + 3 + bytes, to.begin() + offset));
        BOOST_TEST(to[offset + bytes] == 0xee);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_value_on_a_threshold_takes_the_lower_code) {
  CodeRule rule = signed_rule();
  for (int i = 0; i < 15; ++i) rule.thresholds[i] = static_cast<float>(i - 7) / 8;
  const float x[] = {-0.875f, std::nextafter(-0.875f, 1.0f), 1.0f, 0.0f};
  const Encoded encoded = encode(Simd::kPlain, x, 4, 4, rule);
  BOOST_TEST(encoded.packed[0] == 0x01);
  BOOST_TEST(encoded.packed[1] == 0xf7);
}

BOOST_AUTO_TEST_CASE(only_values_below_zero_carry_the_sign_of_a_magnitude_rule) {
  const float x[] = {-1e-6f, -0.0f, -1.0f, 1.0f};
  const Encoded encoded = encode(Simd::kPlain, x, 4, 4, magnitude_rule());
  BOOST_TEST(encoded.packed[0] == 0x80);
  BOOST_TEST(encoded.packed[1] == 0xb3);
}

BOOST_AUTO_TEST_CASE(a_block_of_zeros_has_the_first_code_and_no_scale) {
  const std::vector<float> x(64, 0.0f);
  for (const Simd level : {Simd::kPlain, simd()}) {
    const Encoded encoded = encode(level, x.data(), 64, 64, signed_rule());
    BOOST_TEST(encoded.absmax[0] == 0);
    for (const uint8_t byte : encoded.packed) BOOST_TEST(byte == 0);
  }
}

BOOST_AUTO_TEST_CASE(all_versions_encode_to_the_same_signed_codes) {
  check_encode(signed_rule());
}

BOOST_AUTO_TEST_CASE(all_versions_encode_to_the_same_magnitude_codes) {
  check_encode(magnitude_rule());
}

BOOST_AUTO_TEST_CASE(all_versions_find_the_same_absmax_past_nans) {
  for (const Simd level : fast_versions()) {
    for (const size_t count : kCounts) {
      auto x = values(count, static_cast<uint32_t>(count), false);
      x[count / 2] = std::nanf("");
      BOOST_TEST(kernels(level).absmax(x.data(), count) ==
                 kernels(Simd::kPlain).absmax(x.data(), count));
    }
  }
}

BOOST_AUTO_TEST_CASE(all_versions_add_errors_up_to_the_same_bits) {
  for (const Simd level : fast_versions()) {
    for (const size_t count : kCounts) {
      for (const size_t block : {2, 7, 32, 64, 100, 4096}) {
        const auto r = values(count + 1, 11, false), q = values(count + 1, 12, false);
        const size_t blocks = (count + block - 1) / block;
        std::vector<float> squares[2], errors[2];
        ErrorSums sums[2];
        for (int side = 0; side < 2; ++side) {
          squares[side].resize(blocks);
          errors[side].resize(blocks);
          sums[side] = kernels(side == 0 ? Simd::kPlain : level)
                           .error_sums(r.data() + 1, q.data() + 1, count, block,
                                       squares[side].data(), errors[side].data());
        }
        BOOST_TEST(bits(squares[1]) == bits(squares[0]));
        BOOST_TEST(bits(errors[1]) == bits(errors[0]));
        BOOST_TEST(sums[1].cross == sums[0].cross);
        BOOST_TEST(sums[1].max_abs_error == sums[0].max_abs_error);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(all_versions_add_moments_up_to_the_same_bits) {
  for (const Simd level : fast_versions()) {
    for (const size_t count : kCounts) {
      auto x = values(count + 1, 21, false);
      for (size_t i = 0; i < x.size(); i += 3) x[i] = i % 2 == 0 ? 0.0f : -0.0f;
      const MomentSums wanted = kernels(Simd::kPlain).moment_sums(x.data() + 1, count);
      const MomentSums got = kernels(level).moment_sums(x.data() + 1, count);
      BOOST_TEST(got.sum == wanted.sum);
      BOOST_TEST(got.squares == wanted.squares);
      BOOST_TEST(got.min == wanted.min);
      BOOST_TEST(got.max == wanted.max);
      BOOST_TEST(got.zeros == wanted.zeros);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
