#if defined(__x86_64__)

#include "engine/tensor/vector_sums.h"

namespace qspec {

void sum_vectors_avx2(const VectorCodes& codes, size_t count, void* to, bool streamed) {
  sum_vectors(codes, count, to, streamed);
}

}  // namespace qspec

#endif
