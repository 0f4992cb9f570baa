// ggml's blocks of 32 and the like: one scale, codes in order of low then high nibbles. See
// ggml_lanes.h.

#pragma once

#include "engine/tensor/ggml_lanes.h"

namespace qspec {
namespace {

constexpr int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                   1,    13,   25,  38,  53,  69,  89,  113};

constexpr int8_t kSigns[16] = {-1, 1};

// Twice what e2m1 codes stand for.
constexpr int8_t kE2m1Doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

void decode_q4_0(const uint8_t* block, float* to) {
  const float d = half_at(block);
  const Bytes16 q = load16(block + 2);
  scale16(minus16(low_nibbles(q), 8), d, to);
  scale16(minus16(high_nibbles(q), 8), d, to + 16);
}

void decode_q4_1(const uint8_t* block, float* to) {
  const float d = half_at(block), m = half_at(block + 2);
  const Bytes16 q = load16(block + 4);
  scale16(low_nibbles(q), d, -m, to);
  scale16(high_nibbles(q), d, -m, to + 16);
}

// Codes of 5 bits: the fifth ones are together in 4 bytes.
void decode_q5_0(const uint8_t* block, float* to) {
  const float d = half_at(block);
  const uint32_t fifth = word32(block + 2);
  const Bytes16 q = load16(block + 6);
  scale16(minus16(joined16(low_nibbles(q), spread16(fifth, 0), 4), 16), d, to);
  scale16(minus16(joined16(high_nibbles(q), spread16(fifth, 16), 4), 16), d, to + 16);
}

void decode_q5_1(const uint8_t* block, float* to) {
  const float d = half_at(block), m = half_at(block + 2);
  const uint32_t fifth = word32(block + 4);
  const Bytes16 q = load16(block + 8);
  scale16(joined16(low_nibbles(q), spread16(fifth, 0), 4), d, -m, to);
  scale16(joined16(high_nibbles(q), spread16(fifth, 16), 4), d, -m, to + 16);
}

void decode_q8_0(const uint8_t* block, float* to) {
  const float d = half_at(block);
  scale16(load16(block + 2), d, to);
  scale16(load16(block + 18), d, to + 16);
}

// After the scale comes its product with the sum of the codes.
void decode_q8_1(const uint8_t* block, float* to) {
  const float d = float_of_bits(word32(block));
  scale16(load16(block + 8), d, to);
  scale16(load16(block + 24), d, to + 16);
}

void decode_q1_0(const uint8_t* block, float* to) {
  const float d = half_at(block);
  for (int i = 0; i < 128; i += 16) {
    scale16(looked_up16(kSigns, spread16(word16(block + 2 + i / 8), 0)), d, to + i);
  }
}

// Nibbles of 16 bytes as the values that they stand for: the low ones, then the high ones.
void decode_nibbles(const int8_t* table, const uint8_t* bytes, float scale, float* to) {
  const Bytes16 q = load16(bytes);
  scale16(looked_up16(table, low_nibbles(q)), scale, to);
  scale16(looked_up16(table, high_nibbles(q)), scale, to + 16);
}

void decode_iq4_nl(const uint8_t* block, float* to) {
  decode_nibbles(kIq4Values, block + 2, half_at(block), to);
}

void decode_mxfp4(const uint8_t* block, float* to) {
  decode_nibbles(kE2m1Doubled, block + 1, half_of_exponent(block[0]), to);
}

// Four blocks of 16 with a scale each.
void decode_nvfp4(const uint8_t* block, float* to) {
  for (int part = 0; part < 4; ++part) {
    const uint64_t q = word64(block + 4 + 8 * part), nibbles = 0x0f0f0f0f0f0f0f0f;
    const Bytes16 codes = pair16(q & nibbles, q >> 4 & nibbles);
    scale16(looked_up16(kE2m1Doubled, codes), half_of_e4m3(block[part]), to + 16 * part);
  }
}

}  // namespace
}  // namespace qspec
