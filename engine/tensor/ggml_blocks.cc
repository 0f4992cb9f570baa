#include "engine/tensor/ggml_blocks.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/core/error.h"
#include "engine/tensor/ggml_decoders.h"
#include "engine/tensor/ggml_scales.h"
#include "engine/tensor/parts.h"
#include "engine/tensor/sizes.h"
#include "engine/tensor/statistics.h"

namespace qspec {
namespace {

constexpr int64_t kMostBlockElements = 256;

// The blocks of a tensor as floats.
struct BlockReader {
  at::Tensor blocks;
  GgmlDecode decode;
  int64_t elements, bytes;

  const uint8_t* block(int64_t number) const {
    return static_cast<const uint8_t*>(blocks.const_data_ptr()) + number * bytes;
  }

  const float* operator()(int64_t begin, int64_t count, float* buffer) const {
    float* to = buffer;
    while (count > 0) {
      const int64_t within = begin % elements;
      const int64_t whole = within == 0 ? count / elements : 0;
      const int64_t taken = whole > 0 ? whole * elements : std::min(elements - within, count);
      if (whole > 0) {
        decode(block(begin / elements), static_cast<size_t>(whole), to);
      } else {
        decode_part(begin / elements, within, taken, to);
      }
      begin += taken;
      count -= taken;
      to += taken;
    }
    return buffer;
  }

  void decode_part(int64_t number, int64_t within, int64_t count, float* to) const {
    std::array<float, kMostBlockElements> values;
    decode(block(number), 1, values.data());
    std::copy_n(values.begin() + within, count, to);
  }
};

}  // namespace

GgmlBlocks::GgmlBlocks(const at::Tensor& blocks, Dtype dtype, std::vector<int64_t> shape)
    : dtype_(dtype), shape_(std::move(shape)) {
  ggml_decoder(dtype, simd());
  const DtypeInfo& type = info(dtype);
  const int64_t elements = element_count(shape_);
  const int64_t row = shape_.empty() ? 1 : shape_.back();
  if (row % type.block_elements != 0) {
    throw Error(ErrorKind::kCheckpoint,
                "rows have " + std::to_string(row) + " elements, " + std::string(type.stored_name) +
                    " needs whole blocks of " + std::to_string(type.block_elements));
  }
  const int64_t bytes = elements / type.block_elements * type.block_bytes;
  blocks_ = checked_part(blocks, "blocks", at::kByte, bytes);
}

FloatSource GgmlBlocks::source() const {
  const DtypeInfo& type = info(dtype_);
  return BlockReader{blocks_, ggml_decoder(dtype_, simd()), type.block_elements, type.block_bytes};
}

at::Tensor GgmlBlocks::decode(at::ScalarType dtype) const {
  return materialize(source(), shape_, dtype, info(dtype_).block_elements);
}

Comparison GgmlBlocks::compare(const at::Tensor& baseline) const {
  check_same_shape(shape_, baseline);
  return qspec::compare(source(), float_source(baseline), baseline.numel(),
                        info(dtype_).block_elements);
}

at::Tensor GgmlBlocks::scales() const {
  const GgmlScales read = ggml_scales(dtype_);
  const int64_t width = info(dtype_).block_bytes, blocks = bytes() / width;
  const auto* block = static_cast<const uint8_t*>(blocks_.const_data_ptr());
  std::array<float, kMostGgmlScales> scales;
  if (blocks == 0) return empty_tensor({0}, at::kFloat);
  const int64_t each = read(block, scales.data());
  at::Tensor all = empty_tensor({blocks * each}, at::kFloat);
  auto* to = all.mutable_data_ptr<float>();
  for (int64_t i = 0; i < blocks; ++i, block += width, to += each) read(block, to);
  return all;
}

CodeStatistics GgmlBlocks::statistics() const {
  const Statistics values = qspec::statistics(scales());
  CodeStatistics result;
  result.scales = values.count;
  result.zero_scales = values.zeros;
  result.nonfinite_scales = values.nan + values.inf;
  return result;
}

}  // namespace qspec
