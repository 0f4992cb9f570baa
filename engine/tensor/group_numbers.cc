#include "engine/tensor/group_numbers.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "engine/core/error.h"
#include "engine/tensor/dtypes.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/parts.h"
#include "engine/tensor/sizes.h"

namespace qspec {
namespace {

// A row of bytes that nothing is done to but looking up what they stand for.
void look_up(const std::vector<float>& values, const uint8_t* bytes, size_t count, float* to) {
  const float one = 1;
  CodedRow row{};
  row.codes = bytes;
  row.end = bytes + count;
  row.bits = 8;
  row.values = values.data();
  row.scales = &one;
  row.column_groups = 1;
  row.block = count;
  kernels().decode_coded(row, 0, count, to, false);
}

}  // namespace

GroupNumbers::GroupNumbers(at::Tensor stored, const at::Tensor& values)
    : stored_(std::move(stored)) {
  if (!values.defined()) return;
  const auto* data = values.const_data_ptr<float>();
  values_.assign(data, data + values.numel());
}

const float* GroupNumbers::row(int64_t begin, int64_t all, int64_t first, int64_t count,
                               Room& room) const {
  if (!exist()) return nullptr;
  if (stored_.scalar_type() == at::kFloat) return stored_.const_data_ptr<float>() + begin;
  float* floats = room.of(all);
  widen(begin + first, count, floats + first);
  return floats;
}

void GroupNumbers::widen(int64_t begin, int64_t count, float* to) const {
  const auto size = static_cast<size_t>(count);
  const auto* bytes = static_cast<const uint8_t*>(stored_.const_data_ptr()) +
                      begin * static_cast<int64_t>(stored_.element_size());
  const auto* halves = reinterpret_cast<const uint16_t*>(bytes);
  if (!values_.empty()) return look_up(values_, bytes, size, to);
  if (stored_.scalar_type() == at::kHalf) return kernels().half_to_float(halves, size, to);
  if (stored_.scalar_type() == at::kBFloat16) return kernels().bfloat16_to_float(halves, size, to);
  std::memcpy(to, bytes, size * sizeof(float));
}

at::Tensor GroupNumbers::floats() const {
  at::Tensor result = empty_tensor(stored_.sizes(), at::kFloat);
  if (result.numel() > 0) widen(0, result.numel(), result.mutable_data_ptr<float>());
  return result;
}

bool GroupNumbers::all_equal() const {
  if (!exist() || stored_.numel() == 0) return false;
  const auto size = static_cast<size_t>(stored_.element_size());
  const auto* data = static_cast<const uint8_t*>(stored_.const_data_ptr());
  return std::memcmp(data, data + size, stored_.nbytes() - size) == 0;
}

at::Tensor checked_numbers(const at::Tensor& part, const char* name, int64_t count,
                           const at::Tensor& values) {
  const at::ScalarType type = part.scalar_type();
  if (part.is_complex()) {
    throw Error(ErrorKind::kCheckpoint, std::string(name) + " are complex, wanted real numbers");
  }
  if (values.defined() && part.element_size() != 1) {
    throw Error(ErrorKind::kCheckpoint, std::string(name) + " are " +
                                            std::string(torch_name(type)) +
                                            ", wanted bytes that stand for numbers");
  }
  if (values.defined() || type == at::kHalf || type == at::kBFloat16) {
    return checked_part(part, name, type, count);
  }
  return checked_part(part.to(at::kFloat), name, at::kFloat, count);
}

}  // namespace qspec
