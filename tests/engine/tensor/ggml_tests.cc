#include <ATen/ops/empty.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "engine/tensor/ggml_blocks.h"
#include "engine/tensor/ggml_decoders.h"
#include "tests/support/refusal.h"

namespace qspec::test {
namespace {

std::vector<Dtype> block_types() {
  std::vector<Dtype> types;
  for (size_t i = 0; i < kDtypeCount; ++i) {
    if (is_ggml_block(static_cast<Dtype>(i))) types.push_back(static_cast<Dtype>(i));
  }
  return types;
}

std::vector<uint8_t> random_blocks(Dtype dtype, size_t count) {
  std::mt19937 random(static_cast<unsigned>(dtype));
  std::vector<uint8_t> bytes(count * info(dtype).block_bytes);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0) return false;
  }
  return a.size() == b.size();
}

at::Tensor tensor_of(const std::vector<uint8_t>& bytes) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(bytes.size())}, at::kByte);
  std::memcpy(tensor.mutable_data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

// A block of Q8_0 with a scale of 1/2 and the codes -16 to 15.
std::vector<uint8_t> counted() {
  std::vector<uint8_t> block = {0x00, 0x38};
  for (int i = 0; i < 32; ++i) block.push_back(static_cast<uint8_t>(i - 16));
  return block;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ggml_tests)

BOOST_AUTO_TEST_CASE(every_instruction_set_gives_the_same_bits) {
  constexpr size_t kBlocks = 200;
  for (const Dtype dtype : block_types()) {
    const std::vector<uint8_t> blocks = random_blocks(dtype, kBlocks);
    std::vector<float> plain(kBlocks * info(dtype).block_elements), vectors(plain.size());
    ggml_decoder(dtype, Simd::kPlain)(blocks.data(), kBlocks, plain.data());
    for (const Simd level : {Simd::kAvx2, Simd::kAvx512}) {
      if (!has_simd(level)) continue;
      ggml_decoder(dtype, level)(blocks.data(), kBlocks, vectors.data());
      BOOST_TEST(same(plain, vectors), info(dtype).stored_name);
    }
  }
}

BOOST_AUTO_TEST_CASE(values_are_codes_times_their_scale) {
  const GgmlBlocks weight(tensor_of(counted()), Dtype::kQ8_0, {1, 32});
  const at::Tensor decoded = weight.decode(at::kFloat);
  const auto* values = decoded.const_data_ptr<float>();
  for (int i = 0; i < 32; ++i) BOOST_TEST(values[i] == 0.5f * static_cast<float>(i - 16));
  BOOST_TEST(weight.bytes() == 34);
}

BOOST_AUTO_TEST_CASE(statistics_count_scales) {
  std::vector<uint8_t> blocks = counted();
  for (const int high : {0x00, 0x7c}) {  // a scale of 0, and one that is infinite
    std::vector<uint8_t> block = counted();
    block[1] = static_cast<uint8_t>(high);
    blocks.insert(blocks.end(), block.begin(), block.end());
  }
  const CodeStatistics counts = GgmlBlocks(tensor_of(blocks), Dtype::kQ8_0, {3, 32}).statistics();
  BOOST_TEST(counts.scales == 3);
  BOOST_TEST(counts.zero_scales == 1);
  BOOST_TEST(counts.nonfinite_scales == 1);
}

BOOST_AUTO_TEST_CASE(compares_with_a_baseline) {
  const GgmlBlocks weight(tensor_of(counted()), Dtype::kQ8_0, {1, 32});
  at::Tensor baseline = weight.decode(at::kFloat);
  BOOST_TEST(weight.compare(baseline).error_squares == 0);
  baseline.mutable_data_ptr<float>()[3] += 1;
  BOOST_TEST(weight.compare(baseline).max_error_index == 3);
}

BOOST_AUTO_TEST_CASE(refuses_parts_that_do_not_fit) {
  const at::Tensor bytes = tensor_of(counted());
  BOOST_TEST(has(refusal([&] {
                   GgmlBlocks(bytes, Dtype::kQ8_0, {2, 16});
                 }).message(),
                 "whole blocks of 32"));
  BOOST_TEST(has(refusal([&] { GgmlBlocks(bytes, Dtype::kQ8_0, {2, 32}); }).message(), "blocks"));
  BOOST_TEST((refusal([&] {
                GgmlBlocks(bytes, Dtype::kF16, {1, 32});
              }).kind() == ErrorKind::kSpec));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
