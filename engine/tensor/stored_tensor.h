#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>

#include "engine/checkpoint/checkpoint.h"

namespace qspec {

// A copy of one tensor of a checkpoint, of its stored dtype and shape. Throws Error(kCheckpoint)
// when there is none of that name, and what Checkpoint::read throws.
at::Tensor read_tensor(const Checkpoint& checkpoint, std::string_view name);

// The stored bytes of a tensor of any dtype, in order: [bytes]. Throws likewise.
at::Tensor read_tensor_bytes(const Checkpoint& checkpoint, std::string_view name);

// Puts a copy of `tensor` into the overlay.
void store_tensor(Overlay& overlay, std::string name, const at::Tensor& tensor);

}  // namespace qspec
