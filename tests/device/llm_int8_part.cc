// Both sides of LLM.int8()'s product, against plain loops that say engine/model/linear_int8.cc.

#include "engine/kernels/llm_int8.h"

#include <algorithm>
#include <cmath>

#include "engine/tensor/kernels.h"
#include "tests/device/product.h"

namespace qspec::device_test {
namespace {

constexpr float kInverse127Squared = 6.200124e-05f;
constexpr float kInverse127 = 7.874015718698502e-3f;

struct Case {
  int64_t rows, columns, outputs;
  float threshold;
  Element element;
  const Element* bias = nullptr;
};

float rounded_to(Element element, float x) {
  return loaded(stored({x}, element), element)[0];
}

// Activations as they are, and what becomes of them.
struct Activations {
  explicit Activations(const Case& c)
      : bytes(stored(values_of(c), c.element)),
        x(loaded(bytes, c.element)),
        codes(x.size()),
        absmax(static_cast<size_t>(c.rows)) {
    const auto columns = static_cast<size_t>(c.columns);
    std::vector<bool> listed(columns);
    const auto is_outlier = [&](float half) {
      return c.threshold > 0 && std::fabs(half) >= c.threshold;
    };
    for (size_t i = 0; i < x.size(); ++i) {
      const float half = rounded_to_half(x[i]);
      if (is_outlier(half)) listed[i % columns] = true;
      if (!is_outlier(half)) absmax[i / columns] = std::fmax(absmax[i / columns], std::fabs(half));
    }
    for (size_t i = 0; i < x.size(); ++i) {
      const float half = rounded_to_half(x[i]);
      const float scale = 1.0f / std::fmax(absmax[i / columns], 1e-30f) * 127.0f;
      const bool is_cleared = is_outlier(half) || (c.rows > 1 && listed[i % columns]);
      codes[i] =
          static_cast<uint8_t>(is_cleared ? 0 : static_cast<int8_t>(std::nearbyint(half * scale)));
    }
    for (size_t k = 0; k < columns; ++k) {
      if (listed[k]) outliers.push_back(static_cast<int32_t>(k));
    }
  }

  static std::vector<float> values_of(const Case& c) {
    std::vector<float> x = normal_floats(static_cast<size_t>(c.rows * c.columns), 3);
    for (size_t i = 0; i < x.size(); ++i) {
      if (i % 211 == 7) x[i] *= 300;
      if (i / static_cast<size_t>(c.columns) == 2) x[i] = 0;  // a row without a scale
    }
    return x;
  }

  std::vector<uint8_t> bytes;
  std::vector<float> x;
  std::vector<uint8_t> codes;
  std::vector<float> absmax;
  std::vector<int32_t> outliers;
};

std::vector<float> finished(const Case& c, const Activations& a,
                            const std::vector<int32_t>& product, const std::vector<uint8_t>& weight,
                            const std::vector<float>& absmax, const std::vector<float>& bias) {
  std::vector<float> y(product.size());
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t row = i / static_cast<size_t>(c.outputs), o = i % static_cast<size_t>(c.outputs);
    const float scale = a.absmax[row] * absmax[o];
    float sum = static_cast<float>(product[i]) * scale * kInverse127Squared;
    const bool is_half = c.bias != nullptr && *c.bias == Element::kFloat16;
    if (is_half) sum += bias[o];
    sum = rounded_to_half(sum);
    if (c.bias != nullptr && !is_half) sum = rounded_to_half(sum + bias[o]);
    y[i] = rounded_to(c.element, sum);
    if (a.outliers.empty()) continue;
    float added = 0;
    for (const int32_t k : a.outliers) {
      const auto code = static_cast<int8_t>(weight[o * static_cast<size_t>(c.columns) + k]);
      const float decoded =
          rounded_to(c.element, static_cast<float>(code) * absmax[o] * kInverse127);
      added = std::fma(a.x[row * static_cast<size_t>(c.columns) + k], decoded, added);
    }
    y[i] = rounded_to(c.element, y[i] + added);
  }
  return y;
}

void check_case(Report& report, const Case& c) {
  const std::string name = std::to_string(c.rows) + " x " + std::to_string(c.columns) + " " +
                           name_of(c.element) + " threshold " + std::to_string(c.threshold) +
                           (c.bias != nullptr ? std::string(" bias ") + name_of(*c.bias) : "");
  const Activations wanted(c);
  const DeviceArray<uint8_t> x(wanted.bytes), codes(wanted.codes.size());
  const DeviceArray<float> absmax(wanted.absmax.size());
  const DeviceArray<int32_t> outliers(static_cast<size_t>(1 + c.columns));
  const DeviceArray<uint8_t> workspace(static_cast<size_t>(c.columns));
  cuda::quantize_activations8({.x = x.data(),
                               .element = c.element,
                               .rows = c.rows,
                               .columns = c.columns,
                               .threshold = c.threshold,
                               .codes = reinterpret_cast<int8_t*>(codes.data()),
                               .absmax = absmax.data(),
                               .outlier_columns = outliers.data(),
                               .workspace = workspace.data()},
                              nullptr);
  (void)workspace.host();  // its guards
  report.equal(codes.host(), wanted.codes, "codes of activations " + name);
  report.equal(absmax.host(), wanted.absmax, "absmax of activations " + name);
  std::vector<int32_t> list = outliers.host();
  list.resize(static_cast<size_t>(1 + std::clamp<int64_t>(list[0], 0, c.columns)));
  std::vector<int32_t> wanted_list = wanted.outliers;
  wanted_list.insert(wanted_list.begin(), static_cast<int32_t>(wanted.outliers.size()));
  report.check(
      list == wanted_list, "columns with outliers " + name,
      std::to_string(list[0]) + " columns, wanted " + std::to_string(wanted.outliers.size()));

  const auto count = static_cast<size_t>(c.rows * c.outputs);
  std::vector<int32_t> product(count);
  const std::vector<uint8_t> bits = random_bytes(4 * count, 11);
  for (size_t i = 0; i < count; ++i) {
    std::memcpy(&product[i], bits.data() + 4 * i, 4);
    product[i] /= 64;
  }
  const std::vector<uint8_t> weight = random_bytes(static_cast<size_t>(c.outputs * c.columns), 12);
  std::vector<float> weight_absmax = normal_floats(static_cast<size_t>(c.outputs), 13);
  for (float& value : weight_absmax) value = std::fabs(value);
  const Element bias_element = c.bias != nullptr ? *c.bias : Element::kFloat16;
  const std::vector<uint8_t> bias =
      stored(normal_floats(static_cast<size_t>(c.outputs), 14), bias_element);
  const DeviceArray<int32_t> device_product(product);
  const DeviceArray<uint8_t> device_weight(weight), device_bias(bias);
  const DeviceArray<float> device_absmax(weight_absmax);
  const DeviceArray<uint8_t> y(count * cuda::bytes_of(c.element));
  cuda::finish_product8({.product = device_product.data(),
                         .product_stride = c.outputs,
                         .row_absmax = absmax.data(),
                         .weight_absmax = device_absmax.data(),
                         .weight = reinterpret_cast<const int8_t*>(device_weight.data()),
                         .x = x.data(),
                         .element = c.element,
                         .outlier_columns = outliers.data(),
                         .bias = c.bias != nullptr ? device_bias.data() : nullptr,
                         .bias_element = bias_element,
                         .rows = c.rows,
                         .outputs = c.outputs,
                         .columns = c.columns,
                         .y = y.data()},
                        nullptr);
  report.equal(loaded(y.host(), c.element),
               finished(c, wanted, product, weight, weight_absmax, loaded(bias, bias_element)),
               "end of a product of 8 bits " + name);
}

}  // namespace

void llm_int8_part(Report& report) {
  for (const Element element : kElements) {
    for (const float threshold : {0.0f, 6.0f}) {
      check_case(report, {1, 512, 100, threshold, element});
      check_case(report, {3, 1000, 257, threshold, element, &kElements[1]});
      check_case(report, {17, 4097, 64, threshold, element, &kElements[2]});
      check_case(report, {40, 33, 31, threshold, element, &kElements[0]});
    }
  }
}

}  // namespace qspec::device_test
