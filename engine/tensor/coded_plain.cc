#include <algorithm>
#include <array>
#include <cstdint>

#include "engine/tensor/bitstream.h"
#include "engine/tensor/kernel_versions.h"

namespace qspec {
namespace {

// What a group does to a value. The absent zero and shift change nothing, not even the sign of 0.
struct Group {
  Group(const CodedRow& row, size_t group)
      : zero(row.zeros != nullptr ? row.zeros[group] : 0.0f),
        scale(row.scales[group]),
        shift(row.shifts != nullptr ? row.shifts[group] : -0.0f) {}

  float operator()(const CodedRow& row, float value) const {
    float x = value - zero;
    x = rounded(row.rounding, x) * scale;
    return (row.shifts != nullptr ? rounded(row.rounding, x) : x) + shift;
  }

  static float rounded(Rounding rounding, float x) {
    if (rounding == Rounding::kNone) return x;
    uint16_t half = 0;
    if (rounding == Rounding::kHalf) {
      float_to_half_plain(&x, 1, &half);
      half_to_float_plain(&half, 1, &x);
    } else {
      float_to_bfloat16_plain(&x, 1, &half);
      bfloat16_to_float_plain(&half, 1, &x);
    }
    return x;
  }

  float zero;
  float scale;
  float shift;
};

template <auto narrow>
void decode_to_halves(const CodedRow& row, size_t first, size_t count, uint16_t* to) {
  std::array<float, 64> values;
  for (size_t done = 0; done < count; done += values.size()) {
    const size_t part = std::min(values.size(), count - done);
    decode_coded_plain(row, first + done, part, values.data(), false);
    narrow(values.data(), part, to + done);
  }
}

}  // namespace

void decode_coded_to_half_plain(const CodedRow& row, size_t first, size_t count, uint16_t* to,
                                bool) {
  decode_to_halves<float_to_half_plain>(row, first, count, to);
}

void decode_coded_to_bfloat16_plain(const CodedRow& row, size_t first, size_t count, uint16_t* to,
                                    bool) {
  decode_to_halves<float_to_bfloat16_plain>(row, first, count, to);
}

void decode_coded_plain(const CodedRow& row, size_t first, size_t count, float* to, bool) {
  const size_t end = first + count, bits = static_cast<size_t>(row.bits);
  const size_t swap = row.high_first ? 1 : 0;
  for (size_t c = first; c < end;) {
    const size_t number =
        row.groups != nullptr ? static_cast<size_t>(row.groups[c]) : c / row.block;
    const size_t run_end = row.groups != nullptr ? c + 1 : std::min(end, (number + 1) * row.block);
    const Group group(row, number);
    for (; c < run_end; ++c)
      to[c - first] = group(row, row.values[code_at(row.codes, bits, c ^ swap)]);
  }
}

}  // namespace qspec
