#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace qspec {

// The signed 8-bit dynamic data type of bitsandbytes, ascending: a sign, an exponent of base 10
// coded by its length, and a linear fraction in the bits that are left.
// (Dettmers et al. 2022, "8-bit Optimizers via Block-wise Quantization".)
std::array<float, 256> dynamic_codebook();

// to[i] = codebook[codes[i]] * absmax[i / block].
void decode8(const uint8_t* codes, size_t count, const float* codebook, const float* absmax,
             size_t block, float* to);

// absmax[b] = the largest |x| of block b, NaNs apart; codes[i] = the nearest of the ascending
// codebook to x[i] * (1 / absmax[b]), the even code when two are equally near, 0 for a NaN (which
// is what a block of zeros is multiplied to).
void encode8(const float* x, size_t count, const float* codebook, size_t block, uint8_t* codes,
             float* absmax);

}  // namespace qspec
