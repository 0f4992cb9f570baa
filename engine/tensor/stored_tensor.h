#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/checkpoint/checkpoint.h"

namespace qspec {

// A copy of one tensor of a checkpoint, of its stored dtype and shape. Throws Error(kCheckpoint)
// when there is none of that name, and what Checkpoint::read throws.
at::Tensor read_tensor(const Checkpoint& checkpoint, std::string_view name);

// The stored bytes of a tensor of any dtype, in order: [bytes]. Throws likewise.
at::Tensor read_tensor_bytes(const Checkpoint& checkpoint, std::string_view name);

// The tensor on the device to which an Upload brings it. Where it waits for room there
// (Upload::take), `make_room` is called once to let go of tensors. Nothing when it does not come,
// or none brings it.
std::optional<at::Tensor> take_uploaded(const Checkpoint& checkpoint, std::string_view name,
                                        const std::function<void()>& make_room);

// Lets the overlay hold `tensor`, which nobody changes any more, wherever it lies.
void store_tensor(Overlay& overlay, std::string name, const at::Tensor& tensor);

}  // namespace qspec
