// Products with 4-bit codes, against a plain sum in double.

#include "engine/kernels/gemv4.h"

#include <algorithm>
#include <cmath>

#include "tests/device/codes4.h"
#include "tests/device/product.h"

namespace qspec::device_test {
namespace {

enum class Offsets { kNone, kZeros, kShifts };

struct Weight {
  Weight(const Shape& s, Offsets offsets, uint32_t seed)
      : packed(random_bytes(static_cast<size_t>(s.rows * s.columns / 2), seed)) {
    scales = normal_floats(static_cast<size_t>(s.rows * s.groups()), seed + 1);
    for (float& scale : scales) scale = std::fabs(scale) + 1e-3f;
    if (offsets == Offsets::kShifts) shifts = normal_floats(scales.size(), seed + 2);
    if (offsets != Offsets::kZeros) return;
    zeros = normal_floats(scales.size(), seed + 2);
    for (float& zero : zeros) zero = std::round(zero * 100);
  }

  // With values rounded as the quick kernel does, or as they are.
  std::vector<float> decoded(const Shape& s, const cuda::Codebook16& codebook, bool low_first,
                             bool rounded) const {
    std::vector<float> values(static_cast<size_t>(s.rows * s.columns));
    for (size_t i = 0; i < values.size(); ++i) {
      const auto row = static_cast<int64_t>(i) / s.columns, k = static_cast<int64_t>(i) % s.columns;
      const auto group = static_cast<size_t>(row * s.groups() + k / s.group);
      const uint8_t byte = packed[i / 2];
      const float value = codebook.value[(i % 2 == 0) != low_first ? byte >> 4 : byte & 15];
      const float zero = zeros.empty() ? 0 : zeros[group];
      values[i] = ((rounded ? rounded_to_half(value) : value) - zero) * scales[group];
      if (!shifts.empty()) values[i] += shifts[group];
    }
    return values;
  }

  std::vector<uint8_t> packed;
  std::vector<float> scales, zeros, shifts;
};

bool is_quick(const Shape& s) {
  const bool is_power = (s.group & (s.group - 1)) == 0;
  return s.columns % 64 == 0 && (s.group >= s.columns || (is_power && s.group >= 32));
}

void check_case(Report& report, const Shape& s, Element element, Offsets offsets,
                size_t unaligned = 0) {
  const Weight weight(s, offsets, static_cast<uint32_t>(s.rows + s.columns));
  const bool low_first = offsets != Offsets::kNone;
  cuda::Codebook16 codebook = kNf4;
  if (offsets == Offsets::kZeros) {
    for (int i = 0; i < 16; ++i) codebook.value[i] = static_cast<float>(i);
  }
  std::vector<float> x = normal_floats(static_cast<size_t>(s.batch * s.columns), 9);
  for (float& value : x) value *= 50;
  const std::vector<uint8_t> x_bytes = stored(x, element);
  x = loaded(x_bytes, element);
  const DeviceArray<uint8_t> packed(weight.packed, unaligned), device_x(x_bytes);
  const DeviceArray<float> scales(weight.scales), zeros(weight.zeros), shifts(weight.shifts);
  const auto count = static_cast<size_t>(s.batch * s.rows);
  const DeviceArray<uint8_t> y(count * cuda::bytes_of(element));
  cuda::gemv4({.packed = packed.data(),
               .scales = scales.data(),
               .zeros = offsets == Offsets::kZeros ? zeros.data() : nullptr,
               .codebook = codebook,
               .low_nibble_first = low_first,
               .rows = s.rows,
               .columns = s.columns,
               .group = s.group,
               .scales_per_row = s.groups(),
               .x = device_x.data(),
               .element = element,
               .batch = s.batch,
               .y = y.data(),
               .workspace = nullptr,
               .shifts = offsets == Offsets::kShifts ? shifts.data() : nullptr},
              nullptr);
  const std::string name = "product " + described(s) + " " + name_of(element) +
                           (offsets == Offsets::kZeros    ? " zeros"
                            : offsets == Offsets::kShifts ? " shifts"
                                                          : "") +
                           (unaligned != 0 ? " unaligned" : "");
  const std::vector<float> found = loaded(y.host(), element);
  const bool quick = is_quick(s) && unaligned == 0;
  const bool is_half_x = quick && element == Element::kFloat32;  // x is rounded to 11 bits
  check_product(report, found, plainly(s, weight.decoded(s, codebook, low_first, quick), x),
                is_half_x ? 0x1p-11 : (offsets != Offsets::kNone ? 6e-6 : 2e-6),
                rounding_of(element), name);
  check_product(report, found, plainly(s, weight.decoded(s, codebook, low_first, false), x),
                is_half_x ? 0x1p-10 : 0x1p-12 + 1e-5, rounding_of(element), name + ", exact");
}

// What is not finite stays in its row of x and in its row of the weight.
void check_not_finite(Report& report, Element element) {
  const Shape s{40, 512, 64, 3};
  const Weight weight(s, Offsets::kNone, 77);
  std::vector<float> scales = weight.scales;
  scales[static_cast<size_t>(17 * s.groups() + 3)] = NAN;
  std::vector<float> x = normal_floats(static_cast<size_t>(s.batch * s.columns), 5);
  x[static_cast<size_t>(s.columns + 100)] = HUGE_VALF;
  const DeviceArray<uint8_t> packed(weight.packed), device_x(stored(x, element));
  const DeviceArray<float> device_scales(scales);
  const auto count = static_cast<size_t>(s.batch * s.rows);
  const DeviceArray<uint8_t> y(count * cuda::bytes_of(element));
  cuda::gemv4({.packed = packed.data(),
               .scales = device_scales.data(),
               .codebook = kNf4,
               .rows = s.rows,
               .columns = s.columns,
               .group = s.group,
               .x = device_x.data(),
               .element = element,
               .batch = s.batch,
               .y = y.data(),
               .workspace = nullptr},
              nullptr);
  const std::vector<float> found = loaded(y.host(), element);
  for (size_t i = 0; i < count; ++i) {
    const auto b = static_cast<int64_t>(i) / s.rows, row = static_cast<int64_t>(i) % s.rows;
    report.check(std::isfinite(found[i]) == (b != 1 && row != 17),
                 std::string("what is not finite stays in its row, ") + name_of(element),
                 "row " + std::to_string(row) + " of batch row " + std::to_string(b) + " is " +
                     std::to_string(found[i]));
  }
}

void time_case(Report& report, int64_t rows, int64_t columns, int64_t batch, Element element) {
  constexpr size_t kPool = size_t{512} << 20;  // more than the caches hold
  const auto bytes = static_cast<size_t>(rows * columns / 2);
  const auto scale_count = static_cast<size_t>(rows * columns / 64);
  const size_t turns = std::max<size_t>(1, kPool / bytes);
  const DeviceBytes packed(bytes * turns), x(static_cast<size_t>(batch * columns) * 4);
  const DeviceArray<float> scales(scale_count * turns);
  const DeviceBytes y(static_cast<size_t>(batch * rows) * 4);
  fill_random(packed.data(), bytes * turns, 1);
  fill_scales(scales.data(), scale_count * turns, 2);
  fill_random(x.data(), static_cast<size_t>(batch * columns) * 4, 3);
  report.speed("nf4 product " + std::to_string(rows) + " x " + std::to_string(columns) + " batch " +
                   std::to_string(batch) + " " + name_of(element) + ", packed bytes",
               static_cast<double>(bytes), [&](int turn) {
                 const size_t at = static_cast<size_t>(turn) % turns;
                 cuda::gemv4({.packed = packed.data() + at * bytes,
                              .scales = scales.data() + at * scale_count,
                              .codebook = kNf4,
                              .rows = rows,
                              .columns = columns,
                              .group = 64,
                              .x = x.data(),
                              .element = element,
                              .batch = batch,
                              .y = y.data(),
                              .workspace = nullptr},
                             nullptr);
               });
}

}  // namespace

void gemv4_part(Report& report) {
  const Shape shapes[] = {
      {16, 256, 64, 1},    {1, 64, 64, 1},      {17, 320, 64, 3},    {4096, 192, 64, 2},
      {100, 1024, 128, 8}, {5000, 512, 256, 5}, {33, 96, 32, 4},     {7, 2, 2, 1},
      {64, 4096, 4096, 8}, {2113, 704, 64, 7},  {300, 11008, 64, 1}, {16, 64, 128, 2},
      {40, 20480, 64, 3},  {133, 320, 32, 2},   {50, 4096, 32, 8},   {50, 1088, 64, 9},
      {2200, 576, 64, 16}, {31, 4160, 128, 17}, {90, 1088, 32, 32},  {2113, 1024, 64, 33},
      {20, 2240, 32, 64},  {33, 96, 32, 21}};
  for (const Shape& shape : shapes) {
    for (const Element element : kElements) {
      check_case(report, shape, element, Offsets::kNone);
      check_case(report, shape, element, Offsets::kZeros);
      check_case(report, shape, element, Offsets::kShifts);
    }
  }
  check_case(report, {100, 1024, 64, 8}, Element::kFloat16, Offsets::kNone, 1);
  for (const Element element : kElements) check_not_finite(report, element);
  const std::pair<int64_t, int64_t> sizes[] = {
      {4096, 4096}, {11008, 4096}, {4096, 11008}, {28672, 8192}, {65536, 8192}};
  for (const auto& [rows, columns] : sizes) {
    for (const int64_t batch : {1, 2, 8, 16, 32, 64}) {
      time_case(report, rows, columns, batch, Element::kFloat16);
    }
    time_case(report, rows, columns, 1, Element::kBfloat16);
  }
}

}  // namespace qspec::device_test
