#if defined(__x86_64__)

#include "engine/tensor/kernel_versions.h"
#include "engine/tensor/word_field_nibbles.h"

namespace qspec {

void field_nibbles_avx2(const WordField& field, size_t count, uint8_t* to) {
  word_field_nibbles(field, count, to);
}

}  // namespace qspec

#endif
