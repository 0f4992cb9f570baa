#include "engine/tensor/sizes.h"

#include <ATen/ExpandUtils.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/tensor/page_pool.h"

namespace qspec {
namespace {

std::string text_of(at::IntArrayRef shape) {
  std::string text;
  for (const int64_t size : shape) {
    if (!text.empty()) text.append(", ");
    text.append(std::to_string(size));
  }
  return "[" + text + "]";
}

// The dimensions before the last two.
at::IntArrayRef batch_of(const at::Tensor& tensor) {
  return tensor.sizes().slice(0, tensor.dim() > 2 ? static_cast<size_t>(tensor.dim() - 2) : 0);
}

// Below this the allocator reuses memory by itself.
constexpr int64_t kLarge = 4 << 20;

}  // namespace

int64_t element_count(at::IntArrayRef shape) {
  int64_t count = 1;
  for (const int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count)) {
      throw Error(ErrorKind::kCheckpoint, text_of(shape) + " is no shape: its sizes multiply to " +
                                              "more than 2^63, or one is negative");
    }
  }
  return count;
}

at::IntArrayRef checked_size(at::IntArrayRef shape, at::ScalarType dtype) {
  const int64_t count = element_count(shape);
  const auto item = static_cast<int64_t>(c10::elementSize(dtype));
  if (count <= kLargestTensorBytes / item) return shape;
  throw Error(ErrorKind::kDevice, "a tensor of shape " + text_of(shape) + " with " +
                                      std::to_string(item) +
                                      " bytes an element is over the limit of 64 GiB");
}

at::Tensor empty_tensor(at::IntArrayRef shape, at::ScalarType dtype) {
  checked_size(shape, dtype);
  const int64_t bytes = element_count(shape) * static_cast<int64_t>(c10::elementSize(dtype));
  if (bytes < kLarge) return at::empty(shape, dtype);
  const Pages pages = take_pages(static_cast<size_t>(bytes));
  return at::from_blob(
      pages.memory, shape, [pages](void*) { give_back_pages(pages); }, dtype);
}

void check_broadcast(const at::Tensor& a, const at::Tensor& b) {
  checked_size(at::infer_size(a.sizes(), b.sizes()),
               at::promote_types(a.scalar_type(), b.scalar_type()));
}

void check_matmul(const at::Tensor& a, const at::Tensor& b) {
  if (a.dim() < 1 || b.dim() < 1) return;  // LibTorch says what is wrong with them
  std::vector<int64_t> shape = at::infer_size(batch_of(a), batch_of(b));
  shape.push_back(a.dim() > 1 ? a.size(-2) : 1);
  shape.push_back(b.dim() > 1 ? b.size(-1) : 1);
  checked_size(shape, at::promote_types(a.scalar_type(), b.scalar_type()));
}

}  // namespace qspec
