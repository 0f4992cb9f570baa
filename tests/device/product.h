#pragma once

#include <string>
#include <vector>

#include "tests/device/harness.h"

namespace qspec::device_test {

struct Shape {
  int64_t rows, columns, group, batch;

  int64_t groups() const { return (columns + group - 1) / group; }
};
std::string described(const Shape& shape);

// Sums of products and of their magnitudes.
struct Product {
  std::vector<double> y, magnitude;
};

// y = x W^T, [batch, rows].
Product plainly(const Shape& s, const std::vector<float>& weight, const std::vector<float>& x);

// Each result is within `of_magnitude` of what its products could add up to, and within `of_result`
// of itself. A NaN is only right where it is wanted.
void check_product(Report& report, const std::vector<float>& found, const Product& wanted,
                   double of_magnitude, double of_result, const std::string& name);

// What the element that y is rounded to makes of a result.
double rounding_of(Element element);

float rounded_to_half(float x);

}  // namespace qspec::device_test
