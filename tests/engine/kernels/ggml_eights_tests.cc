#include "engine/kernels/ggml_eights.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "engine/tensor/ggml_decoders.h"

// What one thread of the GPU decodes, against the decoders of whole blocks.
namespace qspec::cuda::ggml {
namespace {

constexpr int kBlocks = 2000;

std::vector<uint8_t> random_bytes(size_t count) {
  std::mt19937 random(11);
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() >> 9);
  return bytes;
}

bool is_same(float a, float b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b));
}

template <class Block>
void check_type(Dtype dtype) {
  const std::vector<uint8_t> blocks = random_bytes(size_t{kBlocks} * Block::kBytes);
  std::vector<float> wanted(size_t{kBlocks} * Block::kElements), found(wanted.size());
  ggml_decoder(dtype, Simd::kPlain)(blocks.data(), kBlocks, wanted.data());
  for (size_t i = 0; i < found.size(); i += 8) {
    Block::eight(blocks.data() + i / Block::kElements * Block::kBytes,
                 static_cast<int>(i % Block::kElements), found.data() + i);
  }
  for (size_t i = 0; i < found.size(); ++i) {
    if (is_same(found[i], wanted[i])) continue;
    BOOST_ERROR(info(dtype).torch_name << " #" << i << ": " << found[i] << ", wanted "
                                       << wanted[i]);
    return;
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ggml_eights_tests)

BOOST_AUTO_TEST_CASE(decodes_eight_elements_as_the_decoder_of_whole_blocks_does) {
  int types = 0;
  for (size_t i = 0; i < kDtypeCount; ++i) {
    const auto dtype = static_cast<Dtype>(i);
    types += with_type(dtype, [&](auto block) { check_type<decltype(block)>(dtype); }) ? 1 : 0;
  }
  BOOST_TEST(types == 15);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::cuda::ggml
