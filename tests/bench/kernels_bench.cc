// Prints the speed of the kernels on this machine, each version of each, through the same threads
// as the engine. usage: kernels_bench [million elements, 180 by default]

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "engine/tensor/kernels.h"
#include "engine/tensor/parallel.h"

namespace qspec {
namespace {

constexpr int64_t kBlock = 64;
constexpr int64_t kStretch = 4096;

struct Data {
  explicit Data(int64_t elements)
      : count(elements),
        packed(elements / 2),
        absmax(elements / kBlock, 0.02f),
        storage(elements + 32) {
    const auto address = reinterpret_cast<uintptr_t>(storage.data());
    halves = storage.data() + (64 - address % 64) % 64 / sizeof(uint16_t);
    for (int64_t i = 0; i < elements / 2; ++i)
      packed[i] = static_cast<uint8_t>((i * 2654435761) >> 13);
    for (int64_t i = 0; i < elements; ++i)
      halves[i] = static_cast<uint16_t>(0x2000 + (i * 40503 >> 7) % 0x400);
    for (int i = 0; i < 16; ++i) {
      codebook[i] = static_cast<float>(i - 7) / 8;
      rule.thresholds[i] = static_cast<float>(i) / 8 - 0.9f;
      rule.codes[i] = static_cast<uint32_t>(i);
    }
  }

  int64_t count;
  std::vector<uint8_t> packed;
  std::vector<float> absmax;
  std::vector<uint16_t> storage;
  uint16_t* halves;  // aligned as LibTorch aligns
  float codebook[16];
  CodeRule rule{};
};

using Body = std::function<void(const Kernels&, Data&, int64_t begin, float* buffer, float* other)>;

CodedRow row_of(const Data& d) {
  CodedRow row{};
  row.codes = d.packed.data();
  row.end = row.codes + d.packed.size();
  row.bits = 4;
  row.high_first = true;
  row.values = d.codebook;
  row.scales = d.absmax.data();
  row.column_groups = d.absmax.size();
  row.block = kBlock;
  return row;
}

void dequantize(const Kernels& k, Data& d, int64_t begin, float*, float*) {
  k.decode_coded_to_bfloat16(row_of(d), static_cast<size_t>(begin), kStretch, d.halves + begin,
                             true);
}

void quantize(const Kernels& k, Data& d, int64_t begin, float* buffer, float*) {
  k.half_to_float(d.halves + begin, kStretch, buffer);
  k.encode4(buffer, kStretch, kBlock, d.rule, d.packed.data() + begin / 2,
            d.absmax.data() + begin / kBlock);
}

void compare(const Kernels& k, Data& d, int64_t begin, float* buffer, float* other) {
  static thread_local float squares[kStretch], errors[kStretch];
  k.decode_coded(row_of(d), static_cast<size_t>(begin), kStretch, buffer, false);
  k.half_to_float(d.halves + begin, kStretch, other);
  k.error_sums(other, buffer, kStretch, kBlock, squares, errors);
}

void moments(const Kernels& k, Data& d, int64_t begin, float* buffer, float*) {
  k.half_to_float(d.halves + begin, kStretch, buffer);
  k.moment_sums(buffer, kStretch);
}

double best_seconds(const Kernels& k, Data& data, const Body& body) {
  double best = 1e9;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    parallel_ranges(data.count, kStretch * 16, [&](int64_t begin, int64_t end) {
      alignas(64) float buffer[kStretch], other[kStretch];
      for (; begin + kStretch <= end; begin += kStretch) body(k, data, begin, buffer, other);
    });
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::min(best, taken.count());
  }
  return best;
}

void report(const char* name, double bytes_per_element, Data& data, const Body& body) {
  const char* names[] = {"plain", "avx2", "avx512"};
  for (const Simd level : {Simd::kPlain, Simd::kAvx2, Simd::kAvx512}) {
    if (!has_simd(level)) continue;
    const double rate =
        static_cast<double>(data.count) / best_seconds(kernels(level), data, body) / 1e9;
    std::printf("%-34s %-7s %6.2f Gelem/s %6.1f GB/s\n", name, names[static_cast<int>(level)], rate,
                rate * bytes_per_element);
  }
}

}  // namespace
}  // namespace qspec

int main(int argc, char** argv) {
  const int64_t millions = argc > 1 ? std::max(1, std::atoi(argv[1])) : 180;
  qspec::Data data(millions * 1'000'000 / qspec::kStretch * qspec::kStretch);
  std::printf("%lld million elements, blocks of 64, %d threads\n", static_cast<long long>(millions),
              at::get_num_threads());
  qspec::report("4-bit codes to bfloat16", 2.5625, data, qspec::dequantize);
  qspec::report("4-bit codes against float16", 2.5625, data, qspec::compare);
  qspec::report("statistics of float16", 2, data, qspec::moments);
  qspec::report("float16 to 4-bit codes", 2.5625, data, qspec::quantize);
}
