#include "engine/tensor/gpu_kernels.h"

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

void use_gpu_kernels(const cuda::KernelTable* table) {
  held() = table;
}

}  // namespace qspec
