#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensor/kernels.h"

namespace qspec {

// What the values of all codes are, recognised by their content.
struct RecognisedValues {
  CodeValues kind = CodeValues::kTable;
  float base = 0;  // of kOffset
};

// `values` holds 2^bits of them. kE4m3 needs 8 bits.
RecognisedValues recognise(const float* values, int bits);

// The values of a float8_e4m3fn and those of an exponent byte, 2^(code - 127) with NaN at 255:
// [256] each.
std::vector<float> e4m3_values();
std::vector<float> exponent_values();

}  // namespace qspec
