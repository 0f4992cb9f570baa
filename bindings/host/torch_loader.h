#pragma once

#include <functional>
#include <lua.hpp>

#include "bindings/host/installation.h"

namespace qspec::lua {

// Openers of host.tensor and host.model. The first call maps LibTorch and libqspec_torch.so. The
// torch folder (it holds lib/libtorch_cpu.so) is QSPEC_TORCH, else .qspec/site/torch of the home
// folder, else what the file torch.path beside the program names. Raises Error(kUnsupported) that
// lists what was tried.
int open_torch_tensor(lua_State* L);
int open_torch_model(lua_State* L);

// Opener of host.cuda: maps LibTorch's CUDA side too, which must come before any tensor is made, as
// LibTorch looks for it once. Raises Error(kDevice) where there is no driver or no such side.
int open_torch_cuda(lua_State* L);

// Whether the LibTorch that is found has its CUDA side; false where none is found.
bool has_torch_cuda(const Installation& installation);

// Begins to map LibTorch with its CUDA side, and libqspec_torch.so, on a thread of its own, when
// `before` returns; then that thread does on GPU `number` what a first product takes. The openers
// wait until all is mapped, and throw what went wrong.
void begin_torch_cuda(const Installation& installation, int number, std::function<void()> before);

}  // namespace qspec::lua
