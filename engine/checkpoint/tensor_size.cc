#include "engine/checkpoint/tensor_size.h"

#include <string>

#include "engine/core/error.h"

namespace qspec {
namespace {

std::string shape_text(std::span<const uint64_t> shape) {
  std::string text = "[";
  for (const uint64_t extent : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(extent);
  }
  return text + "]";
}

}  // namespace

uint64_t stored_bytes(std::string_view name, Dtype dtype, std::span<const uint64_t> shape) {
  const DtypeInfo& type = info(dtype);
  const auto refuse = [&](const std::string& reason) {
    throw Error(ErrorKind::kCheckpoint, "tensor '" + printable(name) + "' of shape " +
                                            shape_text(shape) + " and dtype " +
                                            std::string(type.stored_name) + ": " + reason);
  };
  uint64_t elements = 1;
  for (const uint64_t extent : shape) {
    if (__builtin_mul_overflow(elements, extent, &elements)) {
      refuse("the element count overflows 64 bits");
    }
  }
  if (elements % type.block_elements != 0) {
    refuse(std::to_string(elements) + " elements are not whole blocks of " +
           std::to_string(type.block_elements));
  }
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(elements / type.block_elements, uint64_t{type.block_bytes}, &bytes)) {
    refuse("the size overflows 64 bits");
  }
  return bytes;
}

}  // namespace qspec
