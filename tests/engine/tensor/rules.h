#pragma once

#include <array>
#include <vector>

#include "engine/tensor/codebook4.h"

namespace qspec::test {

// The rules by which bitsandbytes chooses 4-bit codes.
inline CodeRule nf4_rule() {
  constexpr std::array<double, 15> kThresholds = {
      -0.8480964004993439,  -0.6106329262256622,  -0.4599952697753906,   -0.33967943489551544,
      -0.23460740596055984, -0.13791173323988914, -0.045525018125772476, 0.03979014977812767,
      0.1202552504837513,   0.2035212516784668,   0.2920137718319893,    0.3893125355243683,
      0.5016634166240692,   0.6427869200706482,   0.8614784181118011};
  return code_rule(kThresholds, {}, false);
}

inline CodeRule fp4_rule() {
  constexpr std::array<double, 7> kThresholds = {0.00260417, 0.0859375, 0.20833333, 0.29166667,
                                                 0.4166667,  0.583333,  0.8333333};
  constexpr std::array<uint32_t, 8> kCodes = {0, 1, 6, 7, 4, 5, 2, 3};
  return code_rule(kThresholds, kCodes, true);
}

}  // namespace qspec::test
