#include <algorithm>
#include <cmath>

#include "engine/tensor/kernel_versions.h"

namespace qspec {
namespace {

uint8_t code_of(float x, const CodeRule& rule) {
  const float value = rule.magnitude ? std::fabs(x) : x;
  const auto position = std::lower_bound(rule.thresholds, rule.thresholds + 15, value);
  const uint32_t sign = rule.magnitude && x < 0 ? 8 : 0;
  return static_cast<uint8_t>(rule.codes[position - rule.thresholds] | sign);
}

}  // namespace

float absmax_plain(const float* x, size_t count) {
  float largest = 0;
  for (size_t i = 0; i < count; ++i) {
    const float magnitude = std::fabs(x[i]);
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

void encode4_plain(const float* x, size_t count, size_t block, const CodeRule& rule,
                   uint8_t* packed, float* absmax) {
  for (size_t begin = 0, b = 0; begin < count; begin += block, ++b) {
    const size_t end = std::min(begin + block, count);
    absmax[b] = absmax_plain(x + begin, end - begin);
    const float inverse = 1 / absmax[b];
    for (size_t i = begin; i < end; i += 2) {
      const int high = code_of(x[i] * inverse, rule) << 4;
      packed[i / 2] = static_cast<uint8_t>(high | code_of(x[i + 1] * inverse, rule));
    }
  }
}

}  // namespace qspec
