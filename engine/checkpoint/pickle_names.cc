#include "engine/checkpoint/pickle_names.h"

#include <array>

namespace qspec {
namespace {

using enum PickleMeaning;

// Of what torch.load(weights_only=True) lets through (torch 2.11, _weights_only_unpickler.py), the
// part that describes dense tensors of dtypes that a checkpoint can hold.
constexpr std::array kNames = {
    PickleName{"collections", "OrderedDict", kOrderedDict},
    PickleName{"torch", "Size", kSize},
    PickleName{"torch._utils", "_rebuild_tensor_v2", kRebuildTensor},
    PickleName{"torch._utils", "_rebuild_tensor_v3", kRebuildTypedTensor},
    PickleName{"torch._utils", "_rebuild_parameter", kRebuildParameter},

    PickleName{"torch", "BoolStorage", kStorage, Dtype::kBool},
    PickleName{"torch", "ByteStorage", kStorage, Dtype::kU8},
    PickleName{"torch", "CharStorage", kStorage, Dtype::kI8},
    PickleName{"torch", "ShortStorage", kStorage, Dtype::kI16},
    PickleName{"torch", "HalfStorage", kStorage, Dtype::kF16},
    PickleName{"torch", "BFloat16Storage", kStorage, Dtype::kBF16},
    PickleName{"torch", "IntStorage", kStorage, Dtype::kI32},
    PickleName{"torch", "FloatStorage", kStorage, Dtype::kF32},
    PickleName{"torch", "ComplexFloatStorage", kStorage, Dtype::kC64},
    PickleName{"torch", "DoubleStorage", kStorage, Dtype::kF64},
    PickleName{"torch", "LongStorage", kStorage, Dtype::kI64},
    PickleName{"torch", "UntypedStorage", kStorage, Dtype::kU8},
    PickleName{"torch.storage", "UntypedStorage", kStorage, Dtype::kU8},

    PickleName{"torch", "bool", kDtype, Dtype::kBool},
    PickleName{"torch", "float4_e2m1fn_x2", kDtype, Dtype::kF4},
    PickleName{"torch", "uint8", kDtype, Dtype::kU8},
    PickleName{"torch", "int8", kDtype, Dtype::kI8},
    PickleName{"torch", "float8_e5m2", kDtype, Dtype::kF8E5M2},
    PickleName{"torch", "float8_e4m3fn", kDtype, Dtype::kF8E4M3},
    PickleName{"torch", "float8_e8m0fnu", kDtype, Dtype::kF8E8M0},
    PickleName{"torch", "float8_e4m3fnuz", kDtype, Dtype::kF8E4M3Fnuz},
    PickleName{"torch", "float8_e5m2fnuz", kDtype, Dtype::kF8E5M2Fnuz},
    PickleName{"torch", "int16", kDtype, Dtype::kI16},
    PickleName{"torch", "uint16", kDtype, Dtype::kU16},
    PickleName{"torch", "float16", kDtype, Dtype::kF16},
    PickleName{"torch", "bfloat16", kDtype, Dtype::kBF16},
    PickleName{"torch", "int32", kDtype, Dtype::kI32},
    PickleName{"torch", "uint32", kDtype, Dtype::kU32},
    PickleName{"torch", "float32", kDtype, Dtype::kF32},
    PickleName{"torch", "complex64", kDtype, Dtype::kC64},
    PickleName{"torch", "float64", kDtype, Dtype::kF64},
    PickleName{"torch", "int64", kDtype, Dtype::kI64},
    PickleName{"torch", "uint64", kDtype, Dtype::kU64},
};

}  // namespace

const PickleName* find_pickle_name(std::string_view module, std::string_view name) {
  for (const PickleName& row : kNames) {
    if (row.module == module && row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace qspec
