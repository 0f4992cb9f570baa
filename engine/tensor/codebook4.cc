#include "engine/tensor/codebook4.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <string>

#include "engine/core/error.h"
#include "engine/tensor/decode_rows.h"
#include "engine/tensor/on_gpu.h"
#include "engine/tensor/parallel.h"
#include "engine/tensor/parts.h"
#include "engine/tensor/sizes.h"

namespace qspec {
namespace {

constexpr int64_t kGrain = 1 << 16;

void check_block_size(int64_t block_size) {
  if (block_size >= 2 && block_size <= kStretch && block_size % 2 == 0) return;
  throw Error(ErrorKind::kCheckpoint, "block size is " + std::to_string(block_size) +
                                          ", wanted an even number from 2 to 4096");
}

// Blocks know nothing of the weight's shape: all of them are one row.
class CodebookRows {
 public:
  explicit CodebookRows(const Codebook4& weight) : weight_(weight) {
    row_.codes = weight_.packed.const_data_ptr<uint8_t>();
    row_.end = row_.codes + weight_.packed.numel();
    row_.bits = 4;
    row_.high_first = true;
    row_.values = weight_.codebook.const_data_ptr<float>();
    row_.scales = weight_.absmax.const_data_ptr<float>();
    row_.column_groups = static_cast<size_t>(weight_.absmax.numel());
    row_.block = static_cast<size_t>(weight_.block_size);
  }

  // Vectors of the quick versions do not straddle blocks (CodedRow::groups).
  const Kernels& kernels() const {
    return row_.block % 16 == 0 ? qspec::kernels() : qspec::kernels(Simd::kPlain);
  }

  template <class Body>
  void for_parts(int64_t begin, int64_t count, const Body& body) const {
    body(row_, begin, count);
  }

 private:
  Codebook4 weight_;  // keeps the tensors alive
  CodedRow row_{};
};

}  // namespace

Codebook4 checked(Codebook4 weight) {
  check_block_size(weight.block_size);
  const int64_t count = element_count(weight.shape);
  weight.packed = checked_part(weight.packed, "codes", at::kByte, ceil_div(count, 2));
  weight.codebook = checked_part(weight.codebook, "codebook", at::kFloat, 16);
  weight.absmax =
      checked_part(weight.absmax, "absmax", at::kFloat, ceil_div(count, weight.block_size));
  return weight;
}

FloatSource float_source(const Codebook4& weight) {
  return source_of_rows(std::make_shared<const CodebookRows>(weight));
}

at::Tensor dequantize(const Codebook4& weight, at::ScalarType dtype) {
  return decoded_rows(CodebookRows(weight), weight.shape, dtype, kGrain);
}

CodeRule code_rule(std::span<const double> thresholds, std::span<const uint32_t> codes,
                   bool magnitude) {
  const size_t most = magnitude ? 7 : 15;
  const bool ascend = std::is_sorted(thresholds.begin(), thresholds.end()) &&
                      std::none_of(thresholds.begin(), thresholds.end(),
                                   [](double value) { return std::isnan(value); });
  if (thresholds.size() > most || !ascend) {
    throw Error(ErrorKind::kSpec, std::to_string(thresholds.size()) +
                                      " thresholds, wanted at most " + std::to_string(most) +
                                      " in ascending order");
  }
  if (!codes.empty() && codes.size() != thresholds.size() + 1) {
    throw Error(ErrorKind::kSpec, std::to_string(codes.size()) + " codes for " +
                                      std::to_string(thresholds.size()) +
                                      " thresholds, wanted one more than thresholds");
  }
  CodeRule rule{};
  rule.magnitude = magnitude;
  std::fill_n(rule.thresholds, 16, std::numeric_limits<float>::infinity());
  std::transform(thresholds.begin(), thresholds.end(), rule.thresholds,
                 [](double value) { return static_cast<float>(value); });
  for (size_t i = 0; i <= thresholds.size(); ++i) {
    rule.codes[i] = codes.empty() ? static_cast<uint32_t>(i) : codes[i];
    if (rule.codes[i] > most) {
      throw Error(ErrorKind::kSpec, "code " + std::to_string(rule.codes[i]) + ", wanted at most " +
                                        std::to_string(most));
    }
  }
  return rule;
}

Quantized4 quantize_codebook4(const at::Tensor& weight, const CodeRule& rule, int64_t block_size) {
  check_block_size(block_size);
  if (auto result = quantize4_on_gpu(weight, rule, block_size)) return *std::move(result);
  const int64_t count = weight.numel();
  Quantized4 result{empty_tensor({ceil_div(count, 2), 1}, at::kByte),
                    empty_tensor({ceil_div(count, block_size)}, at::kFloat)};
  auto* packed = result.packed.mutable_data_ptr<uint8_t>();
  auto* absmax = result.absmax.mutable_data_ptr<float>();
  const FloatSource source = float_source(weight);
  for_stretches(count, block_size, kStretch, [&](int64_t begin, int64_t end, float* buffer) {
    int64_t length = end - begin;
    const float* values = source(begin, length, buffer);
    if (length % 2 != 0) {  // never a whole stretch, so the buffer has room for the padding
      if (values != buffer) std::copy_n(values, length, buffer);
      buffer[length++] = 0;
      values = buffer;
    }
    kernels().encode4(values, static_cast<size_t>(length), static_cast<size_t>(block_size), rule,
                      packed + begin / 2, absmax + begin / block_size);
  });
  return result;
}

std::vector<int64_t> code_histogram(const Codebook4& weight) {
  const int64_t count = element_count(weight.shape);
  const auto* packed = weight.packed.const_data_ptr<uint8_t>();
  std::array<int64_t, 256> bytes{};
  std::mutex mutex;
  parallel_ranges(count / 2, 1 << 16, [&](int64_t begin, int64_t end) {
    // Two counters a value: a run of equal bytes would wait for its own increments.
    std::array<std::array<int64_t, 256>, 2> counters{};
    for (int64_t i = begin; i < end; ++i) ++counters[static_cast<size_t>(i & 1)][packed[i]];
    const std::lock_guard lock(mutex);
    for (size_t b = 0; b < 256; ++b) bytes[b] += counters[0][b] + counters[1][b];
  });
  std::vector<int64_t> codes(16);
  for (size_t b = 0; b < 256; ++b) {
    codes[b >> 4] += bytes[b];
    codes[b & 15] += bytes[b];
  }
  if (count % 2 != 0) ++codes[packed[count / 2] >> 4];
  return codes;
}

}  // namespace qspec
