#include "engine/tensor/exponents.h"

#include <algorithm>
#include <string>

#include "engine/core/error.h"
#include "engine/tensor/code_values.h"
#include "engine/tensor/dtypes.h"
#include "engine/tensor/sizes.h"

namespace qspec {

at::Tensor powers_of_two(const at::Tensor& exponents) {
  const at::ScalarType type = exponents.scalar_type();
  if (type != at::kByte && type != at::kFloat8_e8m0fnu) {
    throw Error(ErrorKind::kCheckpoint, "exponents are " + std::string(torch_name(type)) +
                                            ", wanted uint8 or float8_e8m0fnu");
  }
  const at::Tensor bytes = exponents.contiguous();
  const auto* codes = static_cast<const uint8_t*>(bytes.const_data_ptr());
  const std::vector<float> values = exponent_values();
  at::Tensor result = empty_tensor(exponents.sizes(), at::kFloat);
  std::transform(codes, codes + bytes.numel(), result.mutable_data_ptr<float>(),
                 [&](uint8_t code) { return values[code]; });
  return result;
}

}  // namespace qspec
