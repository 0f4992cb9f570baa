#pragma once

#include <cstddef>
#include <cstdint>

struct CUstream_st;

// Kernels for NVIDIA GPUs. Headers of this folder need no CUDA header and no LibTorch, so that any
// part of the engine can call what is behind them. Unless a function says otherwise: pointers are
// to device memory and aligned to 16 bytes, counts are elements, nothing is allocated, the call
// only queues work on `stream`, and every result is the same in each run. A failed launch throws
// Error(kDevice).
namespace qspec::cuda {

using Stream = CUstream_st*;

// What a value is stored as.
enum class Element { kFloat32, kFloat16, kBfloat16 };

constexpr size_t bytes_of(Element element) {
  return element == Element::kFloat32 ? 4 : 2;
}

// Of the current device, asked once each.
struct Device {
  int multiprocessors = 0;
  int major = 0;
  int minor = 0;
  int shared_bytes = 0;  // that a thread block may ask for
};
const Device& current_device();

}  // namespace qspec::cuda
