#pragma once

#include "engine/tensor/kernels.h"

// Every kernel once for each instruction set; kernels.h says what they do. Only kernels.cc and the
// versions themselves include this.
#define QSPEC_KERNEL_VERSIONS(SUFFIX)                                                         \
  void half_to_float_##SUFFIX(const uint16_t* from, size_t count, float* to);                 \
  void bfloat16_to_float_##SUFFIX(const uint16_t* from, size_t count, float* to);             \
  void float_to_half_##SUFFIX(const float* from, size_t count, uint16_t* to);                 \
  void float_to_bfloat16_##SUFFIX(const float* from, size_t count, uint16_t* to);             \
  void stream_##SUFFIX(const void* from, size_t bytes, void* to);                             \
  void encode4_##SUFFIX(const float* x, size_t count, size_t block, const CodeRule& rule,     \
                        uint8_t* packed, float* absmax);                                      \
  void decode_coded_##SUFFIX(const CodedRow& row, size_t first, size_t count, float* to,      \
                             bool streamed);                                                  \
  void decode_coded_to_half_##SUFFIX(const CodedRow& row, size_t first, size_t count,         \
                                     uint16_t* to, bool streamed);                            \
  void decode_coded_to_bfloat16_##SUFFIX(const CodedRow& row, size_t first, size_t count,     \
                                         uint16_t* to, bool streamed);                        \
  void transpose_tile_##SUFFIX(const WordTile& tile);                                         \
  void transpose_fields_##SUFFIX(const FieldLines& fields);                                   \
  void field_nibbles_##SUFFIX(const WordField& field, size_t count, uint8_t* to);             \
  void sum_vectors_##SUFFIX(const VectorCodes& codes, size_t count, void* to, bool streamed); \
  float absmax_##SUFFIX(const float* x, size_t count);                                        \
  ErrorSums error_sums_##SUFFIX(const float* r, const float* q, size_t count, size_t block,   \
                                float* squares, float* errors);                               \
  MomentSums moment_sums_##SUFFIX(const float* x, size_t count);

namespace qspec {

QSPEC_KERNEL_VERSIONS(plain)
QSPEC_KERNEL_VERSIONS(avx2)
QSPEC_KERNEL_VERSIONS(avx512)

}  // namespace qspec
