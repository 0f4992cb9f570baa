#include "engine/tensor/stored_tensor.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/nearest.h"
#include "engine/tensor/dtypes.h"
#include "engine/tensor/held_tensor.h"
#include "engine/tensor/parallel.h"
#include "engine/tensor/sizes.h"

namespace qspec {
namespace {

// One thread copies from the page cache more slowly than memory takes it.
constexpr int64_t kReadBytes = 8 << 20;

[[noreturn]] void refuse_name(const Checkpoint& checkpoint, std::string_view name) {
  std::vector<std::string> names;
  for (const TensorEntry& entry : checkpoint.tensors()) names.push_back(entry.name);
  Error error(ErrorKind::kCheckpoint, "there is no tensor '" + printable(name) + "'");
  error.at(checkpoint.path());
  const std::optional<std::string> nearest = nearest_name(name, names);
  if (nearest) error.hint("did you mean '" + printable(*nearest) + "'?");
  throw error;
}

std::vector<int64_t> signed_shape(const TensorEntry& entry) {
  std::vector<int64_t> shape;
  for (const uint64_t size : entry.shape) {
    shape.push_back(size > INT64_MAX ? -1 : static_cast<int64_t>(size));
  }
  return shape;
}

// Of a tensor of that type with as many bytes as are stored.
std::vector<int64_t> checked_shape(const Checkpoint& checkpoint, const TensorEntry& entry,
                                   at::ScalarType type) {
  std::vector<int64_t> shape = signed_shape(entry);
  const auto wanted = static_cast<uint64_t>(element_count(shape)) * c10::elementSize(type);
  if (wanted == entry.bytes) return shape;
  throw Error(ErrorKind::kCheckpoint, "tensor '" + printable(entry.name) + "' has " +
                                          std::to_string(entry.bytes) + " bytes, wanted " +
                                          std::to_string(wanted))
      .at(checkpoint.path());
}

const TensorEntry& entry_of(const Checkpoint& checkpoint, std::string_view name) {
  const TensorEntry* entry = checkpoint.find(name);
  if (entry == nullptr) refuse_name(checkpoint, name);
  return *entry;
}

void read_into(const Checkpoint& checkpoint, const TensorEntry& entry, at::Tensor& result) {
  auto* data = static_cast<std::byte*>(result.mutable_data_ptr());
  parallel_ranges(static_cast<int64_t>(entry.bytes), kReadBytes, [&](int64_t begin, int64_t end) {
    checkpoint.read(entry, static_cast<uint64_t>(begin),
                    {data + begin, static_cast<size_t>(end - begin)});
  });
}

// What holds the tensor already. Nothing where a file does.
std::optional<at::Tensor> held_tensor(const Checkpoint& checkpoint, const TensorEntry& entry) {
  const std::shared_ptr<const ByteSource> held = checkpoint.held(entry);
  const auto* tensor = dynamic_cast<const HeldTensor*>(held.get());
  if (tensor == nullptr) return std::nullopt;
  return tensor->tensor();
}

}  // namespace

std::optional<at::Tensor> take_uploaded(const Checkpoint& checkpoint, std::string_view name,
                                        const std::function<void()>& make_room) {
  const TensorEntry& entry = entry_of(checkpoint, name);
  const std::shared_ptr<const ByteSource> held = checkpoint.held(entry);
  const auto* uploaded = dynamic_cast<const UploadedTensor*>(held.get());
  if (uploaded == nullptr || entry.dtype == Dtype::kBool) return std::nullopt;
  const at::ScalarType type = scalar_type_of(entry.dtype);
  const std::vector<int64_t> shape = checked_shape(checkpoint, entry, type);
  if (auto tensor = tensor_of(*uploaded, shape, type)) return tensor;
  make_room();
  if (auto tensor = tensor_of(*uploaded, shape, type)) return tensor;
  uploaded->upload()->skip(uploaded->name());
  return std::nullopt;
}

at::Tensor read_tensor(const Checkpoint& checkpoint, std::string_view name) {
  const TensorEntry& entry = entry_of(checkpoint, name);
  if (auto held = held_tensor(checkpoint, entry)) return *std::move(held);
  const at::ScalarType type = scalar_type_of(entry.dtype);
  const std::vector<int64_t> shape = checked_shape(checkpoint, entry, type);
  // Read as bytes: any byte but 0 and 1 is no valid bool.
  const bool is_bool = type == at::kBool;
  at::Tensor result = empty_tensor(shape, is_bool ? at::kByte : type);
  read_into(checkpoint, entry, result);
  return is_bool ? result.ne(0) : result;
}

at::Tensor read_tensor_bytes(const Checkpoint& checkpoint, std::string_view name) {
  const TensorEntry& entry = entry_of(checkpoint, name);
  at::Tensor result = empty_tensor({static_cast<int64_t>(entry.bytes)}, at::kByte);
  read_into(checkpoint, entry, result);
  return result;
}

void store_tensor(Overlay& overlay, std::string name, const at::Tensor& tensor) {
  std::vector<uint64_t> shape;
  for (const int64_t size : tensor.sizes()) shape.push_back(static_cast<uint64_t>(size));
  overlay.put(std::move(name), dtype_of(tensor.scalar_type()), std::move(shape),
              std::make_shared<const HeldTensor>(tensor.contiguous()));
}

}  // namespace qspec
