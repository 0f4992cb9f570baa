#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <utility>

#include "engine/core/byte_source.h"
#include "engine/upload/uploaded.h"

namespace qspec {

// A tensor as the bytes of a checkpoint's tensor, wherever it lies: an overlay that holds one gives
// it back as it is.
class HeldTensor final : public ByteSource {
 public:
  // `tensor` is contiguous, and nobody changes it any more.
  explicit HeldTensor(at::Tensor tensor) : tensor_(std::move(tensor)) {}

  const at::Tensor& tensor() const { return tensor_; }

  const std::string& path() const override;
  uint64_t size() const override { return tensor_.nbytes(); }
  void read_at(uint64_t offset, std::span<std::byte> out) const override;

 private:
  at::Tensor tensor_;
};

// The tensor on the device that its Upload brings it to; it goes back when the last reference does.
// Nothing where take() gives nothing.
std::optional<at::Tensor> tensor_of(const UploadedTensor& uploaded, at::IntArrayRef shape,
                                    at::ScalarType type);

}  // namespace qspec
