#include "engine/tensor/gpu_kernels.h"

#include <dlfcn.h>

namespace qspec {
namespace {

const cuda::KernelTable*& held() {
  static const cuda::KernelTable* table = nullptr;
  return table;
}

}  // namespace

const cuda::KernelTable* gpu_kernels() {
  return held();
}

void find_gpu_kernels() {
  using Find = const cuda::KernelTable* (*)();
  const auto find = reinterpret_cast<Find>(dlsym(RTLD_DEFAULT, cuda::kTableSymbol));
  if (find != nullptr) held() = find();
}

}  // namespace qspec
