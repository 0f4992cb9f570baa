#include "engine/core/crc32.h"

#include <array>

namespace qspec {
namespace {

constexpr uint32_t kReflectedPolynomial = 0xEDB88320;

constexpr std::array<uint32_t, 256> table_of_bytes() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = rest >> 1 ^ ((rest & 1) ? kReflectedPolynomial : 0);
    table[byte] = rest;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = table_of_bytes();

}  // namespace

uint32_t crc32(std::string_view bytes) {
  uint32_t rest = ~uint32_t{0};
  for (const char byte : bytes) {
    rest = kTable[(rest ^ static_cast<unsigned char>(byte)) & 0xFF] ^ rest >> 8;
  }
  return ~rest;
}

}  // namespace qspec
