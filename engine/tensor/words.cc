#include "engine/tensor/words.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/tensor/dtypes.h"
#include "engine/tensor/sizes.h"

namespace qspec {

at::Tensor checked_words(const at::Tensor& words, int64_t least) {
  if (!c10::isIntegralType(words.scalar_type(), false)) {
    throw Error(ErrorKind::kCheckpoint,
                "words are " + std::string(torch_name(words.scalar_type())) + ", wanted integers");
  }
  if (words.dim() < least) {
    throw Error(ErrorKind::kCheckpoint, "words have " + std::to_string(words.dim()) +
                                            " dimensions, wanted at least " +
                                            std::to_string(least));
  }
  return words.contiguous();
}

void check_bits(int64_t bits) {
  if (bits >= 1 && bits <= 8) return;
  throw Error(ErrorKind::kCheckpoint, "codes of " + std::to_string(bits) + " bits, wanted 1 to 8");
}

FieldOrder checked_order(const FieldOrder& order, const at::Tensor& words, int64_t bits) {
  const int64_t fields = words.element_size() * 8 / bits;
  FieldOrder in_order(static_cast<size_t>(fields));
  std::iota(in_order.begin(), in_order.end(), 0);
  if (order.empty()) return in_order;
  FieldOrder sorted = order;
  std::sort(sorted.begin(), sorted.end());
  if (sorted == in_order) return order;
  throw Error(ErrorKind::kSpec, "the order of fields has " + std::to_string(order.size()) +
                                    " positions, wanted each of 0 to " +
                                    std::to_string(fields - 1) + " once");
}

std::vector<int64_t> with_last(const at::Tensor& tensor, const std::vector<int64_t>& last) {
  std::vector<int64_t> shape = tensor.sizes().vec();
  std::copy(last.begin(), last.end(), shape.end() - static_cast<int64_t>(last.size()));
  return shape;
}

int64_t product(int64_t a, int64_t b) {
  return element_count({a, b});
}

}  // namespace qspec
