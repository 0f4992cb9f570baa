#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/tensor/kernels.h"

// What the versions of sum_vectors share. Compiled once for each instruction set, so everything is
// local to the file that includes it.
namespace qspec {
namespace {

// Code `index` of a part, and of it the bits that count.
template <class Code>
inline uint32_t vector_code(const VectorCodes& codes, size_t index) {
  Code code;
  std::memcpy(&code, codes.codes + index * sizeof code, sizeof code);
  return static_cast<uint32_t>(code) & codes.mask;
}

// Calls body with a zero of the type of the codes.
template <class Body>
inline void with_code(const VectorCodes& codes, const Body& body) {
  if (codes.code_bytes == 1) return body(uint8_t{});
  if (codes.code_bytes == 2) return body(uint16_t{});
  body(uint32_t{});
}

// The numbers of book `book` that code `index` stands for.
template <class Code>
inline const uint8_t* vector_at(const VectorCodes& codes, size_t index, size_t book) {
  return codes.numbers + book * codes.book_bytes +
         vector_code<Code>(codes, index) * codes.vector_bytes;
}

}  // namespace
}  // namespace qspec
