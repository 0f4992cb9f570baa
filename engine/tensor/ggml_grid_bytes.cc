#include "engine/tensor/ggml_grid_bytes.h"

#include <cstddef>

#include "engine/tensor/ggml_grids.h"

namespace qspec {
namespace {

constexpr uint64_t kIq2[4] = {8, 25, 43, 0};
constexpr uint64_t kIq3Xxs[8] = {4, 12, 20, 28, 36, 44, 52, 62};
constexpr uint64_t kIq3S[8] = {1, 3, 5, 7, 9, 11, 13, 15};
constexpr uint64_t kIq1[4] = {8, 16, 24, 32};

// An entry is as many codes as a Word has bytes, of 16 / that many bits each.
template <class Word, size_t kCodes, size_t kEntries>
void expand(const uint16_t (&grid)[kEntries], const uint64_t (&values)[kCodes],
            Word (&to)[kEntries]) {
  constexpr size_t kBits = 16 / sizeof(Word);
  for (size_t i = 0; i < kEntries; ++i) {
    uint64_t bytes = 0;
    for (size_t k = 0; k < sizeof(Word); ++k) {
      bytes |= values[(grid[i] >> kBits * k) % kCodes] << 8 * k;
    }
    to[i] = static_cast<Word>(bytes);
  }
}

GgmlGridBytes expanded() {
  GgmlGridBytes bytes{};
  expand(kGgmlGridIq2Xxs, kIq2, bytes.iq2_xxs);
  expand(kGgmlGridIq2Xs, kIq2, bytes.iq2_xs);
  expand(kGgmlGridIq2S, kIq2, bytes.iq2_s);
  expand(kGgmlGridIq3Xxs, kIq3Xxs, bytes.iq3_xxs);
  expand(kGgmlGridIq3S, kIq3S, bytes.iq3_s);
  expand(kGgmlGridIq1, kIq1, bytes.iq1);
  return bytes;
}

}  // namespace

const GgmlGridBytes kGgmlGridBytes = expanded();

}  // namespace qspec
