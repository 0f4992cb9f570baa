// int8 with an absmax a row, as engine/tensor/rowwise8.h defines it.

#include "engine/kernels/rowwise8.h"

#include <cmath>

#include "engine/tensor/kernels.h"
#include "tests/device/harness.h"

namespace qspec::device_test {
namespace {

void check_case(Report& report, int64_t rows, int64_t columns, Element element, bool odd_values) {
  const auto count = static_cast<size_t>(rows * columns);
  std::vector<float> values = odd_values ? odd_floats(count, 1) : normal_floats(count, 2);
  for (int64_t k = 0; k < columns && rows > 2; ++k) {
    values[static_cast<size_t>(2 * columns + k)] = 0;  // a row of zeros
  }
  const std::vector<uint8_t> bytes = stored(values, element);
  const std::vector<float> halves =
      loaded(stored(loaded(bytes, element), Element::kFloat16), Element::kFloat16);
  std::vector<uint8_t> codes(count);
  std::vector<float> absmax(static_cast<size_t>(rows)), decoded(count);
  for (size_t row = 0; row < absmax.size(); ++row) {
    const float* x = halves.data() + row * static_cast<size_t>(columns);
    absmax[row] = kernels(Simd::kPlain).absmax(x, static_cast<size_t>(columns));
    const float scale = 127 * (1 / absmax[row]);
    for (size_t k = 0; k < static_cast<size_t>(columns); ++k) {
      const int8_t code = cuda::rowwise8_code(x[k], scale);
      codes[row * static_cast<size_t>(columns) + k] = static_cast<uint8_t>(code);
      decoded[row * static_cast<size_t>(columns) + k] =
          static_cast<float>(code) * absmax[row] * (1.0f / 127);
    }
  }
  const DeviceArray<uint8_t> weight(bytes), found(count);
  const DeviceArray<float> scales(absmax.size());
  auto* signed_codes = reinterpret_cast<int8_t*>(found.data());
  cuda::quantize_rowwise8(weight.data(), element, rows, columns, signed_codes, scales.data(),
                          nullptr);
  const std::string name = std::string(name_of(element)) + " " + std::to_string(rows) + " x " +
                           std::to_string(columns) + (odd_values ? " odd values" : "");
  report.equal(found.host(), codes, "int8 codes of " + name);
  report.equal(scales.host(), absmax, "absmax of " + name);
  const std::vector<uint8_t> wanted = stored(decoded, element);
  const DeviceArray<uint8_t> to(wanted.size());
  cuda::dequantize_rowwise8(signed_codes, scales.data(), rows, columns, element, to.data(),
                            nullptr);
  report.equal(loaded(to.host(), element), loaded(wanted, element), "decoded int8 of " + name);
}

void time_case(Report& report, int64_t rows, int64_t columns, Element element) {
  const auto count = static_cast<size_t>(rows * columns);
  const DeviceBytes weight(count * cuda::bytes_of(element)), codes(count);
  const DeviceArray<float> absmax(static_cast<size_t>(rows));
  fill_random(weight.data(), count * cuda::bytes_of(element), 1);
  auto* signed_codes = reinterpret_cast<int8_t*>(codes.data());
  const double bytes = static_cast<double>(count) * (1.0 + static_cast<double>(bytes_of(element)));
  const std::string shape =
      std::string(name_of(element)) + " " + std::to_string(rows) + " x " + std::to_string(columns);
  report.speed("quantize int8 rows from " + shape, bytes, [&](int) {
    cuda::quantize_rowwise8(weight.data(), element, rows, columns, signed_codes, absmax.data(),
                            nullptr);
  });
  report.speed("dequantize int8 rows to " + shape, bytes, [&](int) {
    cuda::dequantize_rowwise8(signed_codes, absmax.data(), rows, columns, element, weight.data(),
                              nullptr);
  });
}

}  // namespace

void rowwise8_part(Report& report) {
  for (const Element element : kElements) {
    for (const int64_t columns : {1, 7, 8, 64, 1000, 4096, 16384, 16392, 40001}) {
      check_case(report, 5, columns, element, true);
      check_case(report, 5, columns, element, false);
    }
    check_case(report, 3000, 72, element, false);
  }
  time_case(report, 4096, 4096, Element::kFloat16);
  time_case(report, 28672, 8192, Element::kFloat16);
  time_case(report, 28672, 8192, Element::kBfloat16);
  time_case(report, 8192, 28672, Element::kBfloat16);
}

}  // namespace qspec::device_test
