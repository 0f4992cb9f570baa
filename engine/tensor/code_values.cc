#include "engine/tensor/code_values.h"

#include <bit>
#include <cmath>
#include <limits>

namespace qspec {
namespace {

bool same(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) ||
         std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
}

// Whether values[code] is `wanted(code)`, to the bit, for all codes.
template <class Wanted>
bool all_are(const float* values, int bits, const Wanted& wanted) {
  for (int code = 0; code < 1 << bits; ++code) {
    if (!same(values[code], wanted(code))) return false;
  }
  return true;
}

float e4m3_value(int code) {
  const int exponent = code >> 3 & 15, mantissa = code & 7;
  const float sign = code >= 128 ? -1.0f : 1.0f;
  if ((code & 127) == 127) return std::numeric_limits<float>::quiet_NaN();
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -9);
  return sign * std::ldexp(static_cast<float>(8 + mantissa), exponent - 10);
}

}  // namespace

RecognisedValues recognise(const float* values, int bits) {
  const float base = values[0];
  if (all_are(values, bits, [base](int code) { return static_cast<float>(code) + base; })) {
    return {CodeValues::kOffset, base};
  }
  const int half = 1 << (bits - 1);
  if (all_are(values, bits, [half](int code) {
        return static_cast<float>(code < half ? code : code - 2 * half);
      })) {
    return {CodeValues::kSigned};
  }
  if (bits == 8 && all_are(values, bits, e4m3_value)) return {CodeValues::kE4m3};
  return {};
}

std::vector<float> e4m3_values() {
  std::vector<float> values(256);
  for (int code = 0; code < 256; ++code) values[static_cast<size_t>(code)] = e4m3_value(code);
  return values;
}

std::vector<float> exponent_values() {
  std::vector<float> values(256, std::numeric_limits<float>::quiet_NaN());
  for (int code = 0; code < 255; ++code) {
    values[static_cast<size_t>(code)] = std::ldexp(1.0f, code - 127);
  }
  return values;
}

}  // namespace qspec
