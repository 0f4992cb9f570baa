// Codes of 1 to 8 bits to numbers: those of the CPU, bit for bit.

#include "engine/kernels/coded.h"

#include <algorithm>
#include <cmath>

#include "tests/device/harness.h"

namespace qspec::device_test {
namespace {

using cuda::CodedOnDevice;
using cuda::Step;

struct Case {
  int bits;
  CodeValues kind;
  int64_t rows, columns, block_rows, block_columns;
  bool zeros, shifts, groups;
  Step step;
  int64_t extra_bytes;  // a row is that much longer than its codes
};

Rounding rounding(Step step) {
  if (step == Step::kFloat16) return Rounding::kHalf;
  return step == Step::kBfloat16 ? Rounding::kBfloat16 : Rounding::kNone;
}

// What the codes stand for, by kind.
std::vector<float> values_of(const Case& c) {
  std::vector<float> values(size_t{1} << c.bits);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto code = static_cast<uint32_t>(i);
    const int exponent = static_cast<int>(code >> 3 & 15), fraction = static_cast<int>(code & 7);
    const float magnitude = (code & 127) == 127 ? NAN
                            : exponent == 0
                                ? std::ldexp(static_cast<float>(fraction), -9)
                                : std::ldexp(1 + static_cast<float>(fraction) / 8, exponent - 7);
    values[i] = c.kind == CodeValues::kOffset   ? static_cast<float>(i) - 3.5f
                : c.kind == CodeValues::kSigned ? static_cast<float>(static_cast<int8_t>(code))
                : c.kind == CodeValues::kE4m3 ? std::copysign(magnitude, code >= 128 ? -1.0f : 1.0f)
                                              : std::sin(static_cast<float>(i) * 1.7f);
  }
  return values;
}

struct Weight {
  explicit Weight(const Case& c)
      : row_bytes((c.columns * c.bits + 7) / 8 + c.extra_bytes),
        column_groups((c.columns + c.block_columns - 1) / c.block_columns),
        codes(random_bytes(static_cast<size_t>(c.rows * row_bytes), 1)),
        values(values_of(c)) {
    const auto count =
        static_cast<size_t>((c.rows + c.block_rows - 1) / c.block_rows * column_groups);
    scales = odd_floats(count, 2);
    if (c.zeros) zeros = normal_floats(count, 3);
    if (c.shifts) shifts = normal_floats(count, 4);
    for (int64_t i = 0; c.groups && i < c.columns; ++i) {
      groups.push_back(static_cast<int32_t>(i * 7919 % column_groups));
    }
  }

  std::vector<float> decoded(const Case& c) const {
    const auto data = [](const std::vector<float>& floats, int64_t at) {
      return floats.empty() ? nullptr : floats.data() + at;
    };
    std::vector<float> table(256);  // the kernels may read 16 of them
    for (size_t i = 0; i < table.size(); ++i) table[i] = values[i % values.size()];
    std::vector<float> result(static_cast<size_t>(c.rows * c.columns));
    for (int64_t row = 0; row < c.rows; ++row) {
      const int64_t group = row / c.block_rows * column_groups;
      const CodedRow coded{.codes = codes.data() + row * row_bytes,
                           .end = codes.data() + codes.size(),
                           .bits = c.bits,
                           .kind = CodeValues::kTable,
                           .base = 0,
                           .values = table.data(),
                           .scales = data(scales, group),
                           .zeros = data(zeros, group),
                           .shifts = data(shifts, group),
                           .groups = groups.empty() ? nullptr : groups.data(),
                           .group_bytes = nullptr,
                           .column_groups = static_cast<size_t>(column_groups),
                           .block = static_cast<size_t>(c.block_columns),
                           .rounding = rounding(c.step)};
      kernels(Simd::kPlain)
          .decode_coded(coded, 0, static_cast<size_t>(c.columns), result.data() + row * c.columns,
                        false);
    }
    return result;
  }

  int64_t row_bytes, column_groups;
  std::vector<uint8_t> codes;
  std::vector<float> values, scales, zeros, shifts;
  std::vector<int32_t> groups;
};

std::string described(const Case& c, Element element) {
  return std::to_string(c.bits) + " bits " + std::to_string(c.rows) + " x " +
         std::to_string(c.columns) + " blocks " + std::to_string(c.block_rows) + " x " +
         std::to_string(c.block_columns) + " kind " + std::to_string(static_cast<int>(c.kind)) +
         (c.zeros ? " zeros" : "") + (c.shifts ? " shifts" : "") + (c.groups ? " groups" : "") +
         " step " + std::to_string(static_cast<int>(c.step)) + " to " + name_of(element);
}

void check_case(Report& report, const Case& c) {
  const Weight weight(c);
  const DeviceArray<uint8_t> codes(weight.codes);
  const DeviceArray<float> values(weight.values), scales(weight.scales), zeros(weight.zeros),
      shifts(weight.shifts);
  const DeviceArray<int32_t> groups(weight.groups);
  const CodedOnDevice on_device{.codes = codes.data(),
                                .row_bytes = weight.row_bytes,
                                .bits = c.bits,
                                .kind = c.kind,
                                .base = -3.5f,
                                .values = values.data(),
                                .scales = scales.data(),
                                .zeros = c.zeros ? zeros.data() : nullptr,
                                .shifts = c.shifts ? shifts.data() : nullptr,
                                .groups = c.groups ? groups.data() : nullptr,
                                .column_groups = weight.column_groups,
                                .block_columns = c.block_columns,
                                .period = c.rows,
                                .groups_per_period = (c.rows + c.block_rows - 1) / c.block_rows,
                                .block_rows = c.block_rows,
                                .rows = c.rows,
                                .columns = c.columns,
                                .step = c.step};
  const std::vector<float> decoded = weight.decoded(c);
  for (const Element element : kElements) {
    const std::vector<uint8_t> wanted = stored(decoded, element);
    const DeviceArray<uint8_t> to(wanted.size());
    cuda::dequantize_coded(on_device, element, to.data(), nullptr);
    report.equal(loaded(to.host(), element), loaded(wanted, element), described(c, element));
  }
}

void time_case(Report& report, const char* name, const Case& c, Element element) {
  const int64_t row_bytes = c.columns * c.bits / 8;
  const int64_t groups = c.rows / c.block_rows * (c.columns / c.block_columns);
  const auto code_bytes = static_cast<size_t>(c.rows * row_bytes);
  const auto result_bytes = static_cast<size_t>(c.rows * c.columns) * cuda::bytes_of(element);
  const DeviceBytes codes(code_bytes), to(result_bytes);
  const DeviceArray<float> values(values_of(c)), scales(static_cast<size_t>(groups)),
      zeros(static_cast<size_t>(groups));
  fill_random(codes.data(), code_bytes, 1);
  fill_scales(scales.data(), static_cast<size_t>(groups), 2);
  fill_scales(zeros.data(), static_cast<size_t>(groups), 3);
  const CodedOnDevice weight{.codes = codes.data(),
                             .row_bytes = row_bytes,
                             .bits = c.bits,
                             .kind = c.kind,
                             .base = -8,
                             .values = values.data(),
                             .scales = scales.data(),
                             .zeros = c.zeros ? zeros.data() : nullptr,
                             .column_groups = c.columns / c.block_columns,
                             .block_columns = c.block_columns,
                             .period = c.rows,
                             .groups_per_period = c.rows / c.block_rows,
                             .block_rows = c.block_rows,
                             .rows = c.rows,
                             .columns = c.columns};
  const double bytes = static_cast<double>(code_bytes + result_bytes) +
                       static_cast<double>(groups) * (c.zeros ? 8 : 4);
  report.speed(std::string("decode ") + name + " to " + name_of(element) + " " +
                   std::to_string(c.rows) + " x " + std::to_string(c.columns),
               bytes, [&](int) { cuda::dequantize_coded(weight, element, to.data(), nullptr); });
}

}  // namespace

void coded_part(Report& report) {
  const auto kTable = CodeValues::kTable, kOffset = CodeValues::kOffset;
  for (int bits = 1; bits <= 8; ++bits) {
    for (const int64_t columns : {1, 7, 8, 100, 1024}) {
      check_case(report, {bits, kTable, 37, columns, 1, 32, true, false, false, Step::kNone, 0});
      check_case(report, {bits, kOffset, 37, columns, 3, 13, true, true, false, Step::kNone, 1});
      check_case(report, {bits, kOffset, 5, columns, 1, 16, true, false, true, Step::kFloat16, 3});
      check_case(report,
                 {bits, kTable, 5, columns, 2, 128, false, true, false, Step::kBfloat16, 4});
    }
  }
  check_case(report,
             {8, CodeValues::kE4m3, 300, 520, 128, 128, false, false, false, Step::kNone, 0});
  check_case(report,
             {8, CodeValues::kSigned, 300, 520, 1, 520, false, false, false, Step::kNone, 0});
  check_case(report, {4, kOffset, 70000, 16, 1, 16, true, false, false, Step::kNone, 0});
  check_case(report, {4, kOffset, 3, 5000, 1, 4096, true, true, false, Step::kFloat16, 0});
  time_case(report, "int4 groups of 128",
            {4, kOffset, 28672, 8192, 1, 128, true, false, false, Step::kNone, 0},
            Element::kBfloat16);
  time_case(report, "3 bits groups of 64",
            {3, kOffset, 28672, 8192, 1, 64, true, false, false, Step::kNone, 0},
            Element::kBfloat16);
  time_case(report, "fp4 groups of 32",
            {4, kTable, 28672, 8192, 1, 32, false, false, false, Step::kNone, 0},
            Element::kBfloat16);
  time_case(report, "fp8 blocks of 128 x 128",
            {8, CodeValues::kE4m3, 28672, 8192, 128, 128, false, false, false, Step::kNone, 0},
            Element::kBfloat16);
  time_case(report, "int8 rows",
            {8, CodeValues::kSigned, 28672, 8192, 1, 8192, false, false, false, Step::kNone, 0},
            Element::kBfloat16);
}

}  // namespace qspec::device_test
