#include "engine/tensor/held_tensor.h"

#include <ATen/ops/from_blob.h>

#include <cstring>

namespace qspec {

const std::string& HeldTensor::path() const {
  static const std::string kPath = "a tensor in memory";
  return kPath;
}

void HeldTensor::read_at(uint64_t offset, std::span<std::byte> out) const {
  if (out.empty()) return;
  const at::Tensor bytes = tensor_.view({-1}).view(at::kByte);
  const at::Tensor part =
      bytes.narrow(0, static_cast<int64_t>(offset), static_cast<int64_t>(out.size())).cpu();
  std::memcpy(out.data(), part.const_data_ptr(), out.size());
}

std::optional<at::Tensor> tensor_of(const UploadedTensor& uploaded, at::IntArrayRef shape,
                                    at::ScalarType type) {
  const std::shared_ptr<Upload>& upload = uploaded.upload();
  const std::optional<std::byte*> data = upload->take(uploaded.name());
  if (!data) return std::nullopt;
  const c10::Device device(c10::kCUDA, static_cast<c10::DeviceIndex>(upload->device_number()));
  const auto give_back = [upload, name = uploaded.name()](void*) { upload->give_back(name); };
  return at::from_blob(*data, shape, give_back, at::TensorOptions(device).dtype(type), device);
}

}  // namespace qspec
