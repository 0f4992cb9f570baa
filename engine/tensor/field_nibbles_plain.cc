#include "engine/tensor/kernel_versions.h"
#include "engine/tensor/word_field_nibbles.h"

namespace qspec {

void field_nibbles_plain(const WordField& field, size_t count, uint8_t* to) {
  word_field_nibbles(field, count, to);
}

}  // namespace qspec
