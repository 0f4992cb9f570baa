#include "engine/model/philox.h"

namespace qspec {
namespace {

constexpr int kRounds = 10;
constexpr uint64_t kFirst = 0xD2511F53, kSecond = 0xCD9E8D57;
constexpr uint32_t kFirstStep = 0x9E3779B9, kSecondStep = 0xBB67AE85;

uint32_t low(uint64_t value) {
  return static_cast<uint32_t>(value);
}
uint32_t high(uint64_t value) {
  return static_cast<uint32_t>(value >> 32);
}

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t first = kFirst * counter[0], second = kSecond * counter[2];
    counter = {high(second) ^ counter[1] ^ key[0], low(second), high(first) ^ counter[3] ^ key[1],
               low(first)};
    key = {key[0] + kFirstStep, key[1] + kSecondStep};
  }
  return counter;
}

double uniform(uint64_t seed, uint64_t row, uint64_t step) {
  const auto words = philox({low(step), high(step), low(row), high(row)}, {low(seed), high(seed)});
  const uint64_t bits = uint64_t{words[0]} << 32 | words[1];
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace qspec
