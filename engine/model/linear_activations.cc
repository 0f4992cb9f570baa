#include "engine/model/linear_activations.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "engine/core/error.h"

namespace qspec {
namespace {

using Rounding = ActivationRounding;

constexpr double kMostE4M3 = 448;
constexpr double kMostE2M1 = 6;

// What a scale of zero becomes when scales are rounded to e4m3.
constexpr double kLeastE4M3Scale = 0.125;

struct Range {
  double low, high;
};

Range range_of(const Rounding& rounding) {
  if (rounding.codes == Rounding::Codes::kE4M3) return {-kMostE4M3, kMostE4M3};
  if (rounding.codes == Rounding::Codes::kE2M1) return {-kMostE2M1, kMostE2M1};
  const double half = std::ldexp(1.0, rounding.bits - 1);
  return {-half, half - 1};
}

double epsilon(at::ScalarType dtype) {
  if (dtype == at::kBFloat16) return std::ldexp(1.0, -7);
  if (dtype == at::kHalf) return std::ldexp(1.0, -10);
  return std::numeric_limits<float>::epsilon();
}

// The smallest and the largest of what shares a scale; zero is always in between.
std::pair<at::Tensor, at::Tensor> extremes(const at::Tensor& x, const Rounding& rounding) {
  const bool whole = rounding.extent == Rounding::Extent::kTensor;
  const at::Tensor low = whole ? x.min() : x.amin(-1, /*keepdim=*/true);
  const at::Tensor high = whole ? x.max() : x.amax(-1, /*keepdim=*/true);
  return {low.clamp_max(0), high.clamp_min(0)};
}

// Microscaling: the power of two that brings the largest magnitude into the range of the codes;
// mantissas of 1.75 and more count as the next power.
at::Tensor exponent_scales(const at::Tensor& most, const Rounding& rounding) {
  const int offset = rounding.codes == Rounding::Codes::kE4M3 ? 8 : 2;
  const auto [mantissa, exponent] = at::frexp(most.to(at::kFloat));
  const at::Tensor power = exponent - 1 + mantissa.ge(0.875).to(at::kInt) - offset;
  const at::Tensor clamped = at::where(most.eq(0), -127, power.clamp(-127, 128));
  const at::Tensor scales = at::exp2(clamped.to(at::kFloat)).to(most.scalar_type());
  return at::where(scales.eq(0), 1, scales).to(most.scalar_type());
}

at::Tensor or_least(const at::Tensor& scales, double least) {
  return at::where(scales.eq(0), at::scalar_tensor(least, scales.options()), scales);
}

at::Tensor symmetric_scales(const at::Tensor& x, const Rounding& rounding, const Range& range) {
  const auto [low, high] = extremes(x, rounding);
  const at::Tensor most = at::maximum(low.abs(), high.abs());
  if (rounding.scales == Rounding::Scales::kExponents) return exponent_scales(most, rounding);
  const at::Tensor plain = most / ((range.high - range.low) / 2);
  if (rounding.scales == Rounding::Scales::kPlain) return or_least(plain, epsilon(x.scalar_type()));
  const at::Tensor global = rounding.global_scale.to(x.device());
  const at::Tensor wide = (global * plain.to(at::kFloat)).clamp(-kMostE4M3, kMostE4M3);
  return or_least(wide.to(at::kFloat8_e4m3fn).to(at::kFloat), kLeastE4M3Scale) / global;
}

std::pair<at::Tensor, at::Tensor> shifted_scales(const at::Tensor& x, const Rounding& rounding,
                                                 const Range& range) {
  const auto [low, high] = extremes(x, rounding);
  const at::Tensor scales = (high - low) / (range.high - range.low);
  const at::Tensor zeros = (range.low - low / scales).clamp(range.low, range.high).nan_to_num(0);
  return {or_least(scales, epsilon(x.scalar_type())), zeros.round()};
}

// Halves go to the even neighbour, as the tables of E2M1 have them.
at::Tensor to_e2m1(const at::Tensor& x) {
  const at::Tensor most = x.abs();
  at::Tensor rounded = at::where(most.le(0.25), 0.0, 0.5).to(x.scalar_type());
  rounded = at::where(most.ge(0.75), 1.0, rounded);
  rounded = at::where(most.gt(1.25), 1.5, rounded);
  rounded = at::where(most.ge(1.75), 2.0, rounded);
  rounded = at::where(most.gt(2.5), 3.0, rounded);
  rounded = at::where(most.ge(3.5), 4.0, rounded);
  rounded = at::where(most.gt(5.0), 6.0, rounded);
  return rounded.to(x.scalar_type()) * x.sign();
}

at::Tensor to_codes(const at::Tensor& scaled, const Rounding& rounding, const Range& range) {
  const at::Tensor clamped = scaled.clamp(range.low, range.high);
  if (rounding.codes == Rounding::Codes::kInteger) return clamped.round();
  if (rounding.codes == Rounding::Codes::kE2M1) return to_e2m1(clamped);
  return clamped.to(at::kFloat8_e4m3fn).to(clamped.scalar_type());
}

at::Tensor rounded(const at::Tensor& x, const Rounding& rounding) {
  const Range range = range_of(rounding);
  at::Tensor scale, zero;
  if (rounding.scale.defined()) {
    scale = rounding.scale.to(x.device(), x.scalar_type());
    if (rounding.zero_point.defined()) zero = rounding.zero_point.to(x.device(), x.scalar_type());
  } else if (rounding.symmetric) {
    scale = symmetric_scales(x, rounding, range);
  } else {
    std::tie(scale, zero) = shifted_scales(x, rounding, range);
  }
  at::Tensor scaled = x / scale;
  if (zero.defined()) scaled = scaled + zero;
  at::Tensor codes = to_codes(scaled, rounding, range).to(scale.scalar_type());
  if (zero.defined()) codes = codes - zero;
  return (codes * scale).to(x.scalar_type());
}

class RoundedInput : public LinearWeight {
 public:
  RoundedInput(std::unique_ptr<LinearWeight> product, ActivationRounding rounding)
      : product_(std::move(product)), rounding_(std::move(rounding)) {}

  at::Tensor apply(const at::Tensor& x) const override {
    return product_->apply(x.numel() == 0 ? x : round_activations(x, rounding_));
  }

  at::Tensor exact(const at::Tensor& x, const at::Tensor& rows) const override {
    return product_->exact(x.numel() == 0 ? x : round_activations(x, rounding_), rows);
  }

 private:
  std::unique_ptr<LinearWeight> product_;
  ActivationRounding rounding_;
};

}  // namespace

at::Tensor round_activations(const at::Tensor& x, const ActivationRounding& rounding) {
  if (rounding.extent != Rounding::Extent::kGroup) return rounded(x, rounding);
  if (x.size(-1) % rounding.group_size != 0) {
    throw Error(ErrorKind::kUnsupported, "inputs of " + std::to_string(x.size(-1)) +
                                             " values cannot be rounded in groups of " +
                                             std::to_string(rounding.group_size));
  }
  return rounded(x.unflatten(-1, {-1, rounding.group_size}), rounding).flatten(-2);
}

std::unique_ptr<LinearWeight> with_rounded_input(std::unique_ptr<LinearWeight> product,
                                                 const ActivationRounding& rounding) {
  return std::make_unique<RoundedInput>(std::move(product), rounding);
}

void check_rounding(const ActivationRounding& rounding) {
  const auto refuse = [](const std::string& what) {
    throw Error(ErrorKind::kUnsupported, "activations cannot be rounded with " + what);
  };
  if (rounding.bits < 2 || rounding.bits > 8) refuse(std::to_string(rounding.bits) + " bits");
  if (rounding.extent == Rounding::Extent::kGroup && rounding.group_size < 1) {
    refuse("groups of " + std::to_string(rounding.group_size));
  }
  if (rounding.scales == Rounding::Scales::kE4M3 && !rounding.global_scale.defined()) {
    refuse("e4m3 scales and no global one");
  }
  for (const at::Tensor& one : {rounding.scale, rounding.zero_point, rounding.global_scale}) {
    if (one.defined() && one.numel() != 1) {
      refuse("scales of " + std::to_string(one.numel()) + " values");
    }
  }
}

}  // namespace qspec
