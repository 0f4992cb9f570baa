#pragma once

#include <array>
#include <cstdint>

namespace qspec {

// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC
// 2011): four random words for each counter under a key. It has no state, so a number depends on
// what it is for and not on how many were drawn before.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// Of [0, 1), in steps of 2^-53: from the first two words (high, low) of the counter {step, row}
// (low words first) under the key `seed` (low word first).
double uniform(uint64_t seed, uint64_t row, uint64_t step);

}  // namespace qspec
