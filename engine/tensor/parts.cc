#include "engine/tensor/parts.h"

#include <string>

#include "engine/core/error.h"
#include "engine/tensor/dtypes.h"

namespace qspec {

at::Tensor checked_part(const at::Tensor& part, const char* name, at::ScalarType dtype,
                        int64_t count) {
  if (part.scalar_type() == dtype && part.numel() == count) return part.contiguous();
  const auto text = [](at::ScalarType type, int64_t elements) {
    return std::to_string(elements) + " elements of " + std::string(torch_name(type));
  };
  throw Error(ErrorKind::kCheckpoint, std::string(name) + " has " +
                                          text(part.scalar_type(), part.numel()) + ", wanted " +
                                          text(dtype, count));
}

}  // namespace qspec
