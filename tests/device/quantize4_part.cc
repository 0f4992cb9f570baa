// Quantization to 4 bits: the codes and absmax of the CPU, bit for bit.

#include "engine/kernels/quantize4.h"
#include "tests/device/codes4.h"

namespace qspec::device_test {
namespace {

struct Case {
  size_t count;
  size_t block_size;
  size_t offset;  // elements from an aligned address
  Element element;
  bool odd_values;
};

void check_case(Report& report, const Case& c, const CodeRule& rule, const char* rule_name) {
  const auto values = c.odd_values ? odd_floats(c.count, 3) : normal_floats(c.count, 5);
  const std::vector<uint8_t> bytes = stored(values, c.element);
  std::vector<float> x = loaded(bytes, c.element);
  if (c.count % 2 != 0) x.push_back(0);
  std::vector<uint8_t> packed(x.size() / 2);
  std::vector<float> absmax((c.count + c.block_size - 1) / c.block_size);
  kernels(Simd::kPlain)
      .encode4(x.data(), x.size(), c.block_size, rule, packed.data(), absmax.data());
  const DeviceArray<uint8_t> weight(bytes, c.offset * cuda::bytes_of(c.element));
  const DeviceArray<uint8_t> codes(packed.size());
  const DeviceArray<float> scales(absmax.size());
  cuda::quantize4({.weight = weight.data(),
                   .element = c.element,
                   .count = static_cast<int64_t>(c.count),
                   .block_size = static_cast<int64_t>(c.block_size),
                   .rule = rule,
                   .packed = codes.data(),
                   .absmax = scales.data()},
                  nullptr);
  const std::string name =
      std::string(rule_name) + " " + name_of(c.element) + " n=" + std::to_string(c.count) +
      " block=" + std::to_string(c.block_size) + " offset=" + std::to_string(c.offset) +
      (c.odd_values ? " odd values" : "");
  report.equal(codes.host(), packed, "codes of " + name);
  report.equal(scales.host(), absmax, "absmax of " + name);
}

void check_rule(Report& report, const CodeRule& rule, const char* name) {
  for (const Element element : kElements) {
    for (const size_t block : {2, 32, 64, 96, 128, 256, 512, 4096}) {
      for (const size_t count : {1, 2, 7, 63, 64, 65, 4095, 70001}) {
        check_case(report, {count, block, 0, element, true}, rule, name);
      }
      check_case(report, {1 << 20, block, 0, element, false}, rule, name);
      check_case(report, {10007, block, 1, element, true}, rule, name);
    }
  }
}

void time_rule(Report& report, const CodeRule& rule, const char* name, Element element,
               int64_t rows, int64_t columns, cuda::Reciprocal reciprocal) {
  const int64_t count = rows * columns;
  const auto bytes = static_cast<size_t>(count) * cuda::bytes_of(element);
  const DeviceBytes weight(bytes);
  const DeviceArray<uint8_t> codes(static_cast<size_t>(count / 2));
  const DeviceArray<float> scales(static_cast<size_t>(count / 64));
  fill_random(weight.data(), bytes, 1);
  const double moved = static_cast<double>(bytes) + static_cast<double>(count) * (0.5 + 4.0 / 64);
  report.speed(std::string("quantize ") + name + " from " + name_of(element) + " " +
                   std::to_string(rows) + " x " + std::to_string(columns) +
                   (reciprocal == cuda::Reciprocal::kApproximate ? " approximate" : ""),
               moved, [&](int) {
                 cuda::quantize4({weight.data(), element, count, 64, rule, reciprocal, codes.data(),
                                  scales.data()},
                                 nullptr);
               });
}

}  // namespace

void quantize4_part(Report& report) {
  check_rule(report, nf4_rule(), "nf4");
  check_rule(report, fp4_rule(), "fp4");
  CodeRule close = nf4_rule();  // two thresholds in one bin: the slow way
  close.thresholds[1] = close.thresholds[0] + 1e-4f;
  check_rule(report, close, "a rule without bins");
  for (const Element element : {Element::kBfloat16, Element::kFloat16, Element::kFloat32}) {
    time_rule(report, nf4_rule(), "nf4", element, 65536, 8192, cuda::Reciprocal::kRounded);
  }
  for (const auto& [rows, columns] :
       {std::pair<int64_t, int64_t>{4096, 4096}, {11008, 4096}, {28672, 8192}}) {
    time_rule(report, nf4_rule(), "nf4", Element::kBfloat16, rows, columns,
              cuda::Reciprocal::kRounded);
  }
  time_rule(report, nf4_rule(), "nf4", Element::kBfloat16, 28672, 8192,
            cuda::Reciprocal::kApproximate);
  time_rule(report, fp4_rule(), "fp4", Element::kBfloat16, 28672, 8192, cuda::Reciprocal::kRounded);
}

}  // namespace qspec::device_test
