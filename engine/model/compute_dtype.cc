#include "engine/model/compute_dtype.h"

#include "engine/core/error.h"

namespace qspec {

at::ScalarType compute_dtype_named(std::string_view name) {
  if (name == "float32") return at::kFloat;
  if (name == "float16") return at::kHalf;
  if (name == "bfloat16") return at::kBFloat16;
  throw Error(ErrorKind::kUnsupported,
              "compute dtype '" + printable(name) + "', wanted float32, float16 or bfloat16");
}

}  // namespace qspec
