// Products with 4-bit codes, against a plain sum in double.

#include "engine/kernels/gemv4.h"

#include <algorithm>
#include <cmath>

#include "tests/device/codes4.h"

namespace qspec::device_test {
namespace {

struct Shape {
  int64_t rows, columns, group, batch;
};

// Sums of products and of their magnitudes.
struct Product {
  std::vector<double> y, magnitude;
};

float rounded_to_half(float x) {
  uint16_t half;
  kernels().float_to_half(&x, 1, &half);
  kernels().half_to_float(&half, 1, &x);
  return x;
}

Product plainly(const Shape& s, const std::vector<float>& weight, const std::vector<float>& x) {
  Product product{std::vector<double>(static_cast<size_t>(s.batch * s.rows)),
                  std::vector<double>(static_cast<size_t>(s.batch * s.rows))};
  for (int64_t b = 0; b < s.batch; ++b) {
    for (int64_t row = 0; row < s.rows; ++row) {
      double y = 0, magnitude = 0;
      for (int64_t k = 0; k < s.columns; ++k) {
        const double term = double{weight[static_cast<size_t>(row * s.columns + k)]} *
                            x[static_cast<size_t>(b * s.columns + k)];
        y += term;
        magnitude += std::fabs(term);
      }
      product.y[static_cast<size_t>(b * s.rows + row)] = y;
      product.magnitude[static_cast<size_t>(b * s.rows + row)] = magnitude;
    }
  }
  return product;
}

void check_product(Report& report, const std::vector<float>& found, const Product& wanted,
                   double of_magnitude, double of_result, const std::string& name) {
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const double bound =
        of_magnitude * wanted.magnitude[i] + of_result * std::fabs(wanted.y[i]) + 1e-30;
    const double share = std::fabs(found[i] - wanted.y[i]) / bound;
    if (!(share <= worst)) {
      worst = std::isnan(share) ? HUGE_VAL : share;
      at = i;
    }
  }
  char text[160];
  std::snprintf(text, sizeof text, "#%zu: found %.9g, wanted %.9g, %.3g times the bound", at,
                at < found.size() ? found[at] : 0.0f, at < found.size() ? wanted.y[at] : 0.0,
                worst);
  report.check(worst <= 1, name, text);
}

// Of the element that y is rounded to.
double rounding_of(Element element) {
  return element == Element::kFloat32 ? 1e-6 : element == Element::kFloat16 ? 0x1p-11 : 0x1p-8;
}

struct Weight {
  Weight(const Shape& s, bool with_zeros, uint32_t seed)
      : packed(random_bytes(static_cast<size_t>(s.rows * s.columns / 2), seed)) {
    const int64_t per_row = (s.columns + s.group - 1) / s.group;
    scales = normal_floats(static_cast<size_t>(s.rows * per_row), seed + 1);
    for (float& scale : scales) scale = std::fabs(scale) + 1e-3f;
    if (!with_zeros) return;
    zeros = normal_floats(scales.size(), seed + 2);
    for (float& zero : zeros) zero = std::round(zero * 100);
  }

  // With values rounded as the quick kernel does, or as they are.
  std::vector<float> decoded(const Shape& s, const cuda::Codebook16& codebook, bool low_first,
                             bool rounded) const {
    const int64_t per_row = (s.columns + s.group - 1) / s.group;
    std::vector<float> values(static_cast<size_t>(s.rows * s.columns));
    for (size_t i = 0; i < values.size(); ++i) {
      const auto row = static_cast<int64_t>(i) / s.columns, k = static_cast<int64_t>(i) % s.columns;
      const auto group = static_cast<size_t>(row * per_row + k / s.group);
      const uint8_t byte = packed[i / 2];
      const float value = codebook.value[(i % 2 == 0) != low_first ? byte >> 4 : byte & 15];
      const float zero = zeros.empty() ? 0 : zeros[group];
      values[i] = ((rounded ? rounded_to_half(value) : value) - zero) * scales[group];
    }
    return values;
  }

  std::vector<uint8_t> packed;
  std::vector<float> scales, zeros;
};

void check_case(Report& report, const Shape& s, Element element, bool with_zeros, bool low_first,
                size_t offset = 0) {
  const Weight weight(s, with_zeros, static_cast<uint32_t>(s.rows + s.columns));
  cuda::Codebook16 codebook = kNf4;
  if (with_zeros) {
    for (int i = 0; i < 16; ++i) codebook.value[i] = static_cast<float>(i);
  }
  std::vector<float> x = normal_floats(static_cast<size_t>(s.batch * s.columns), 9);
  for (float& value : x) value *= 50;
  const std::vector<uint8_t> x_bytes = stored(x, element);
  x = loaded(x_bytes, element);
  const DeviceArray<uint8_t> packed(weight.packed, offset), device_x(x_bytes);
  const DeviceArray<float> scales(weight.scales), zeros(weight.zeros);
  const auto count = static_cast<size_t>(s.batch * s.rows);
  const DeviceArray<uint8_t> y(count * cuda::bytes_of(element));
  const DeviceArray<uint8_t> workspace(cuda::gemv4_workspace_bytes(s.columns));
  cuda::gemv4({.packed = packed.data(),
               .scales = scales.data(),
               .zeros = with_zeros ? zeros.data() : nullptr,
               .codebook = codebook,
               .low_nibble_first = low_first,
               .rows = s.rows,
               .columns = s.columns,
               .group = s.group,
               .scales_per_row = (s.columns + s.group - 1) / s.group,
               .x = device_x.data(),
               .element = element,
               .batch = s.batch,
               .y = y.data(),
               .workspace = workspace.data()},
              nullptr);
  (void)workspace.host();  // its guards
  const std::string name = "product " + std::to_string(s.rows) + " x " + std::to_string(s.columns) +
                           " group " + std::to_string(s.group) + " batch " +
                           std::to_string(s.batch) + " " + name_of(element) +
                           (with_zeros ? " zeros" : "") + (low_first ? " low first" : "") +
                           (offset != 0 ? " unaligned" : "");
  const std::vector<float> found = loaded(y.host(), element);
  const bool is_quick = s.columns % 64 == 0 && s.group % 64 == 0 && offset == 0;
  const bool is_half_x = is_quick && element == Element::kFloat32;  // x is rounded to 11 bits
  check_product(report, found, plainly(s, weight.decoded(s, codebook, low_first, is_quick), x),
                is_half_x ? 0x1p-11 : (with_zeros ? 6e-6 : 2e-6), rounding_of(element), name);
  check_product(report, found, plainly(s, weight.decoded(s, codebook, low_first, false), x),
                is_half_x ? 0x1p-10 : 0x1p-12 + 1e-5, rounding_of(element), name + ", exact");
}

void time_case(Report& report, int64_t rows, int64_t columns, int64_t batch, Element element) {
  constexpr size_t kPool = size_t{512} << 20;  // more than the caches hold
  const auto bytes = static_cast<size_t>(rows * columns / 2);
  const auto scale_count = static_cast<size_t>(rows * columns / 64);
  const size_t turns = std::max<size_t>(1, kPool / bytes);
  const DeviceBytes packed(bytes * turns), x(static_cast<size_t>(batch * columns) * 4);
  const DeviceArray<float> scales(scale_count * turns);
  const DeviceBytes y(static_cast<size_t>(batch * rows) * 4);
  const DeviceBytes workspace(cuda::gemv4_workspace_bytes(columns));
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
                              .workspace = workspace.data()},
                             nullptr);
               });
}

}  // namespace

void gemv4_part(Report& report) {
  const Shape shapes[] = {{16, 256, 64, 1},   {1, 64, 64, 1},      {17, 320, 64, 3},
                          {4096, 192, 64, 2}, {100, 1024, 128, 8}, {5000, 512, 256, 5},
                          {33, 96, 32, 4},    {7, 2, 2, 1},        {64, 4096, 4096, 8},
                          {2113, 704, 64, 7}, {300, 11008, 64, 1}, {16, 64, 128, 2}};
  for (const Shape& shape : shapes) {
    for (const Element element : kElements) {
      check_case(report, shape, element, false, false);
      check_case(report, shape, element, true, true);
    }
  }
  check_case(report, {100, 1024, 64, 8}, Element::kFloat16, false, false, 1);
  const std::pair<int64_t, int64_t> sizes[] = {
      {4096, 4096}, {11008, 4096}, {4096, 11008}, {28672, 8192}, {65536, 8192}};
  for (const auto& [rows, columns] : sizes) {
    for (const int64_t batch : {1, 2, 4, 8}) {
      time_case(report, rows, columns, batch, Element::kFloat16);
    }
    time_case(report, rows, columns, 1, Element::kBfloat16);
  }
}

}  // namespace qspec::device_test
