#include "engine/tensor/bits.h"

#include <cstring>

namespace qspec {

bool equal_bits(const at::Tensor& a, const at::Tensor& b) {
  if (a.scalar_type() != b.scalar_type() || a.sizes() != b.sizes()) return false;
  if (a.numel() == 0) return true;
  const at::Tensor flat_a = a.contiguous(), flat_b = b.contiguous();
  return std::memcmp(flat_a.const_data_ptr(), flat_b.const_data_ptr(), flat_a.nbytes()) == 0;
}

}  // namespace qspec
