#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace qspec {

// Monte Carlo arithmetic (Parker, "Monte Carlo arithmetic: exploiting randomness in floating-point
// arithmetic", UCLA CSD-970002, 1997): each result of a product of matrices is moved to one of its
// two neighbours at random. How far the output moves is what the order of a sum, another kernel or
// another shape of the same product may change, found without trusting any of them.

// Undefined without a seed.
at::Generator random_rounding(std::optional<uint64_t> seed);

// `x` of any floating dtype, each value times 1 + e or 1 - e, e half the distance from 1 to the
// next number of the dtype, rounded to it; `x` itself when the generator is undefined.
at::Tensor rounded_at_random(const at::Tensor& x, at::Generator& generator);

}  // namespace qspec
