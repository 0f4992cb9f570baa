#pragma once

#include <cstdint>

#include "engine/kernels/both.h"

namespace qspec::cuda {

// Which elements of a head are a pair, as in engine/model/ops/rope.cc.
enum class RotationStyle : int32_t { kHalves, kNeighbours, kNeighboursToHalves };

struct RotatedPair {
  int32_t first, second;  // elements of the pair
  int32_t index;          // of the pair, in the tables
  bool gives_second;      // of the two that come of it
};

// The pair that element `i` of the result comes from.
QSPEC_BOTH inline RotatedPair pair_of_element(RotationStyle style, int32_t i, int32_t pairs) {
  const bool halves = style != RotationStyle::kNeighbours;
  const int32_t index = halves ? i % pairs : i / 2;
  const bool gives_second = halves ? i >= pairs : i % 2 != 0;
  if (style == RotationStyle::kHalves) return {index, index + pairs, index, gives_second};
  return {2 * index, 2 * index + 1, index, gives_second};
}

// One of the two numbers that a pair becomes. `precise`: rounded once, in the caller.
template <class Rounded>
QSPEC_BOTH float rotated(float first, float second, float cos, float sin, bool gives_second,
                         bool precise, const Rounded& rounded) {
  const float own = gives_second ? second * cos : first * cos;
  const float other = gives_second ? first * sin : second * sin;
  if (precise) return gives_second ? own + other : own - other;
  return gives_second ? rounded(own) + rounded(other) : rounded(own) - rounded(other);
}

// From the product of a query and a key to a score.
struct Scoring {
  float scale = 1;
  bool divides = false;        // by `scale`
  bool rounds = false;         // each step, as models do that are written out; shares too
  bool fp32_products = false;  // but shares alone
};

template <class Rounded>
QSPEC_BOTH float scored(const Scoring& how, float product, const Rounded& rounded) {
  const bool rounds = how.rounds && !how.fp32_products;
  const float from = rounds ? rounded(product) : product;
  const float score = how.divides ? from / how.scale : from * how.scale;
  return rounds ? rounded(score) : score;
}

// With the position of the key in it: one rounding of slope * position, and one of the sum.
template <class Rounded>
QSPEC_BOTH float scored_with_position(const Scoring& how, float product, float slope,
                                      int32_t position, const Rounded& rounded) {
  const float bias = rounded(slope * static_cast<float>(position));
  return rounded(bias + product * how.scale);
}

}  // namespace qspec::cuda
