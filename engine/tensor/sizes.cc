#include "engine/tensor/sizes.h"

#include <string>

#include "engine/core/error.h"

namespace qspec {
namespace {

std::string text_of(c10::IntArrayRef shape) {
  std::string text = "[";
  for (const int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

}  // namespace

int64_t element_count(c10::IntArrayRef shape) {
  int64_t count = 1;
  for (const int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count)) {
      throw Error(ErrorKind::kCheckpoint, "shape " + text_of(shape) + " is not a shape");
    }
  }
  return count;
}

c10::IntArrayRef checked_size(c10::IntArrayRef shape, at::ScalarType dtype) {
  const int64_t count = element_count(shape);
  const auto item = static_cast<int64_t>(c10::elementSize(dtype));
  if (count <= kLargestTensorBytes / item) return shape;
  throw Error(ErrorKind::kDevice, "a tensor of shape " + text_of(shape) + " and " +
                                      std::to_string(item) +
                                      " bytes an element is over the limit of 64 GiB");
}

}  // namespace qspec
