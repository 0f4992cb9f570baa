#include "engine/tensor/dtypes.h"

#include <string>
#include <utility>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/nearest.h"

namespace qspec {
namespace {

constexpr std::pair<Dtype, at::ScalarType> kTypes[] = {
    {Dtype::kBool, at::kBool},
    {Dtype::kU8, at::kByte},
    {Dtype::kI8, at::kChar},
    {Dtype::kF8E5M2, at::kFloat8_e5m2},
    {Dtype::kF8E4M3, at::kFloat8_e4m3fn},
    {Dtype::kF8E8M0, at::kFloat8_e8m0fnu},
    {Dtype::kF8E4M3Fnuz, at::kFloat8_e4m3fnuz},
    {Dtype::kF8E5M2Fnuz, at::kFloat8_e5m2fnuz},
    {Dtype::kI16, at::kShort},
    {Dtype::kU16, at::kUInt16},
    {Dtype::kF16, at::kHalf},
    {Dtype::kBF16, at::kBFloat16},
    {Dtype::kI32, at::kInt},
    {Dtype::kU32, at::kUInt32},
    {Dtype::kF32, at::kFloat},
    {Dtype::kC64, at::kComplexFloat},
    {Dtype::kF64, at::kDouble},
    {Dtype::kI64, at::kLong},
    {Dtype::kU64, at::kUInt64},
};

}  // namespace

at::ScalarType scalar_type_of(Dtype dtype) {
  for (const auto& [stored, type] : kTypes) {
    if (stored == dtype) return type;
  }
  throw Error(ErrorKind::kUnsupported,
              "no tensor can be made of dtype " + std::string(info(dtype).stored_name));
}

Dtype dtype_of(at::ScalarType type) {
  for (const auto& [stored, candidate] : kTypes) {
    if (candidate == type) return stored;
  }
  throw Error(ErrorKind::kUnsupported,
              std::string("no checkpoint stores elements of type ") + c10::toString(type));
}

std::string_view torch_name(at::ScalarType type) {
  return info(dtype_of(type)).torch_name;
}

at::ScalarType scalar_type_named(std::string_view name) {
  const std::optional<Dtype> dtype = dtype_of_torch_name(name);
  if (dtype) return scalar_type_of(*dtype);
  std::vector<std::string> names;
  for (const auto& [stored, type] : kTypes) names.emplace_back(info(stored).torch_name);
  Error error(ErrorKind::kSpec, "'" + printable(name) + "' is no dtype");
  const std::optional<std::string> nearest = nearest_name(name, names);
  throw error.hint(nearest ? "did you mean '" + *nearest + "'?" : "for example float16");
}

}  // namespace qspec
