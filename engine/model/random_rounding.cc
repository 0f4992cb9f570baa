#include "engine/model/random_rounding.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>

#include <limits>

namespace qspec {
namespace {

double half_step(at::ScalarType dtype) {
  double step = 0;
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, dtype, "half_step", [&] {
    step = static_cast<double>(std::numeric_limits<scalar_t>::epsilon()) / 2;
  });
  return step;
}

}  // namespace

at::Generator random_rounding(std::optional<uint64_t> seed) {
  return seed ? at::detail::createCPUGenerator(*seed) : at::Generator();
}

at::Tensor rounded_at_random(const at::Tensor& x, at::Generator& generator) {
  if (!generator.defined()) return x;
  const at::Tensor up = at::empty(x.sizes(), at::kDouble).bernoulli_(0.5, generator);
  const at::Tensor factor = up.sub_(0.5).mul_(2 * half_step(x.scalar_type())).add_(1);
  return x.to(at::kDouble).mul_(factor.to(x.device())).to(x.scalar_type());
}

}  // namespace qspec
