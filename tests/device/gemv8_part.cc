// Products with 8-bit codes, against a plain sum in double.

#include "engine/kernels/gemv8.h"

#include <cmath>

#include "engine/kernels/code_value.h"
#include "tests/device/product.h"

namespace qspec::device_test {
namespace {

struct Case {
  Shape shape;
  CodeValues kind;
  int64_t group_rows = 1;
  bool zeros = false, shifts = false;
};

struct Weight {
  explicit Weight(const Case& c)
      : codes(random_bytes(static_cast<size_t>(c.shape.rows * c.shape.columns), 3)) {
    const int64_t groups = (c.shape.rows + c.group_rows - 1) / c.group_rows * c.shape.groups();
    scales = normal_floats(static_cast<size_t>(groups), 4);
    for (float& scale : scales) scale = std::fabs(scale) + 1e-3f;
    if (c.zeros) zeros = normal_floats(scales.size(), 5);
    for (float& zero : zeros) zero = std::round(zero * 100);
    if (c.shifts) shifts = normal_floats(scales.size(), 6);
    if (c.kind != CodeValues::kE4m3) return;
    for (uint8_t& code : codes) code = (code & 0x7f) == 0x7f ? code ^ 1 : code;  // no NaN
  }

  std::vector<float> decoded(const Case& c) const {
    std::vector<float> values(codes.size());
    for (size_t i = 0; i < values.size(); ++i) {
      const auto row = static_cast<int64_t>(i) / c.shape.columns;
      const auto k = static_cast<int64_t>(i) % c.shape.columns;
      const auto at =
          static_cast<size_t>(row / c.group_rows * c.shape.groups() + k / c.shape.group);
      const float value =
          c.kind == CodeValues::kE4m3 ? cuda::e4m3_value(codes[i]) : cuda::signed_value(codes[i]);
      values[i] = (value - (zeros.empty() ? 0 : zeros[at])) * scales[at];
      if (!shifts.empty()) values[i] += shifts[at];
    }
    return values;
  }

  std::vector<uint8_t> codes;
  std::vector<float> scales, zeros, shifts;
};

std::vector<float> product_of(const Case& c, const Weight& weight,
                              const std::vector<uint8_t>& x_bytes, Element element) {
  const Shape& s = c.shape;
  const DeviceArray<uint8_t> codes(weight.codes), x(x_bytes);
  const DeviceArray<float> scales(weight.scales), zeros(weight.zeros), shifts(weight.shifts);
  const DeviceArray<uint8_t> y(static_cast<size_t>(s.batch * s.rows) * cuda::bytes_of(element));
  cuda::gemv8({.codes = codes.data(),
               .kind = c.kind,
               .scales = scales.data(),
               .zeros = c.zeros ? zeros.data() : nullptr,
               .shifts = c.shifts ? shifts.data() : nullptr,
               .rows = s.rows,
               .columns = s.columns,
               .group = s.group,
               .group_rows = c.group_rows,
               .scales_per_row = s.groups(),
               .x = x.data(),
               .element = element,
               .batch = s.batch,
               .y = y.data()},
              nullptr);
  return loaded(y.host(), element);
}

std::string described(const Case& c, Element element) {
  return std::string(c.kind == CodeValues::kE4m3 ? "e4m3" : "int8") + " product " +
         described(c.shape) + " of " + std::to_string(c.group_rows) + " rows, " + name_of(element) +
         (c.zeros ? " zeros" : "") + (c.shifts ? " shifts" : "");
}

void check_case(Report& report, const Case& c, Element element) {
  const Weight weight(c);
  std::vector<float> x = normal_floats(static_cast<size_t>(c.shape.batch * c.shape.columns), 9);
  const std::vector<uint8_t> x_bytes = stored(x, element);
  x = loaded(x_bytes, element);
  const bool is_half_x = element == Element::kFloat32;  // quick or not: the wider of both bounds
  check_product(report, product_of(c, weight, x_bytes, element),
                plainly(c.shape, weight.decoded(c), x), is_half_x ? 0x1p-11 : 6e-6,
                rounding_of(element), described(c, element));
}

// A NaN among the codes makes its row's results NaN, and no others.
void check_nan(Report& report) {
  const Case c{{40, 256, 128, 2}, CodeValues::kE4m3, 128};
  Weight weight(c);
  weight.codes[static_cast<size_t>(21 * c.shape.columns + 77)] = 0xff;
  const std::vector<float> x = normal_floats(static_cast<size_t>(2 * c.shape.columns), 9);
  const std::vector<float> found =
      product_of(c, weight, stored(x, Element::kFloat16), Element::kFloat16);
  for (size_t i = 0; i < found.size(); ++i) {
    const bool is_row = static_cast<int64_t>(i) % c.shape.rows == 21;
    report.check(std::isnan(found[i]) == is_row, "a NaN of e4m3 stays in its row",
                 "#" + std::to_string(i) + " is " + std::to_string(found[i]));
  }
}

void time_case(Report& report, CodeValues kind, int64_t rows, int64_t columns, int64_t batch) {
  constexpr size_t kPool = size_t{512} << 20;  // more than the caches hold
  const auto bytes = static_cast<size_t>(rows * columns);
  const size_t turns = std::max<size_t>(1, kPool / bytes);
  const bool is_float = kind == CodeValues::kE4m3;
  const int64_t group = is_float ? 128 : columns, group_rows = is_float ? 128 : 1;
  const auto scale_count = static_cast<size_t>(rows / group_rows * (columns / group));
  const DeviceBytes codes(bytes * turns), x(static_cast<size_t>(batch * columns) * 2);
  const DeviceArray<float> scales(scale_count);
  const DeviceBytes y(static_cast<size_t>(batch * rows) * 2);
  fill_random(codes.data(), bytes * turns, 1);
  fill_scales(scales.data(), scale_count, 2);
  fill_random(x.data(), static_cast<size_t>(batch * columns) * 2, 3);
  report.speed(std::string(is_float ? "e4m3" : "int8") + " product " + std::to_string(rows) +
                   " x " + std::to_string(columns) + " batch " + std::to_string(batch),
               static_cast<double>(bytes), [&](int turn) {
                 const size_t at = static_cast<size_t>(turn) % turns;
                 cuda::gemv8({.codes = codes.data() + at * bytes,
                              .kind = kind,
                              .scales = scales.data(),
                              .rows = rows,
                              .columns = columns,
                              .group = group,
                              .group_rows = group_rows,
                              .scales_per_row = columns / group,
                              .x = x.data(),
                              .element = Element::kFloat16,
                              .batch = batch,
                              .y = y.data()},
                             nullptr);
               });
}

}  // namespace

void gemv8_part(Report& report) {
  const Case cases[] = {
      {{16, 64, 64, 1}, CodeValues::kSigned},
      {{17, 320, 320, 3}, CodeValues::kSigned},
      {{2113, 704, 704, 8}, CodeValues::kSigned},
      {{40, 11008, 11008, 2}, CodeValues::kSigned},
      {{133, 4160, 32, 5}, CodeValues::kSigned},
      {{64, 1024, 128, 1}, CodeValues::kSigned, 1, true, false},
      {{64, 1024, 32, 8}, CodeValues::kSigned, 1, false, true},
      {{50, 1088, 1088, 16}, CodeValues::kSigned},
      {{300, 2240, 64, 32}, CodeValues::kSigned, 1, true, false},
      {{300, 2240, 32, 33}, CodeValues::kSigned},
      {{20, 1088, 32, 64}, CodeValues::kSigned, 1, false, true},
      {{33, 90, 32, 11}, CodeValues::kSigned},
      {{256, 512, 128, 1}, CodeValues::kE4m3, 128},
      {{300, 4224, 128, 8}, CodeValues::kE4m3, 128},
      {{300, 1088, 1088, 3}, CodeValues::kE4m3},
      {{77, 640, 128, 16}, CodeValues::kE4m3, 128},
      {{77, 640, 128, 32}, CodeValues::kE4m3, 64},
      {{140, 1024, 128, 64}, CodeValues::kE4m3, 128},
      {{140, 100, 64, 9}, CodeValues::kE4m3, 128},
  };
  for (const Case& c : cases) {
    for (const Element element : kElements) check_case(report, c, element);
  }
  check_nan(report);
  for (const CodeValues kind : {CodeValues::kSigned, CodeValues::kE4m3}) {
    for (const int64_t batch : {1, 8, 16, 64}) {
      time_case(report, kind, 11008, 4096, batch);
      time_case(report, kind, 28672, 8192, batch);
    }
  }
}

}  // namespace qspec::device_test
