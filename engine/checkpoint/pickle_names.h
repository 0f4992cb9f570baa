#pragma once

#include <cstdint>
#include <string_view>

#include "engine/core/dtype.h"

namespace qspec {

// What a name that a pickle asks for stands for here: never code, whatever Python has behind it.
enum class PickleMeaning : uint8_t {
  kOrderedDict,         // collections.OrderedDict
  kSize,                // torch.Size
  kRebuildTensor,       // torch._utils._rebuild_tensor_v2
  kRebuildTypedTensor,  // torch._utils._rebuild_tensor_v3, which states the dtype
  kRebuildParameter,    // torch._utils._rebuild_parameter
  kStorage,             // torch.FloatStorage ...
  kDtype,               // torch.float32 ...
};

struct PickleName {
  std::string_view module;
  std::string_view name;
  PickleMeaning meaning;
  Dtype dtype = Dtype::kU8;  // of kStorage and kDtype
};

// nullptr for a name that is not on the list.
const PickleName* find_pickle_name(std::string_view module, std::string_view name);

}  // namespace qspec
