#include "tests/device/product.h"

#include <cmath>
#include <cstdio>

#include "engine/tensor/kernels.h"

namespace qspec::device_test {

std::string described(const Shape& s) {
  return std::to_string(s.rows) + " x " + std::to_string(s.columns) + " group " +
         std::to_string(s.group) + " batch " + std::to_string(s.batch);
}

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
    const bool both_nan = std::isnan(found[i]) && std::isnan(wanted.y[i]);
    const double share = both_nan ? 0 : std::fabs(found[i] - wanted.y[i]) / bound;
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

double rounding_of(Element element) {
  return element == Element::kFloat32 ? 1e-6 : element == Element::kFloat16 ? 0x1p-11 : 0x1p-8;
}

}  // namespace qspec::device_test
