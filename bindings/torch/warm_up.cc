// What LibTorch does at its first product on a GPU, done ahead: it makes a cuBLAS handle and loads
// kernels, which takes as long as moving a few gigabytes.

#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include "engine/core/timeline.h"

// For the thread that mapped this library (host/torch_loader.cc). What goes wrong here goes wrong
// again where it is told.
extern "C" __attribute__((visibility("default"))) void qspec_warm_up(int number) noexcept {
  try {
    const qspec::Timed timed("LibTorch warmed up");
    const c10::InferenceMode inference;
    const c10::Device device(c10::kCUDA, static_cast<c10::DeviceIndex>(number));
    const at::Tensor a = at::zeros({64, 64}, at::TensorOptions(device).dtype(at::kBFloat16));
    at::matmul(a, a).cpu();
  } catch (const std::exception&) {
  }
}
