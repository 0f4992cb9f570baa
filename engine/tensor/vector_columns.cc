#include "engine/tensor/vector_columns.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "engine/core/error.h"
#include "engine/tensor/dtypes.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/parallel.h"
#include "engine/tensor/parts.h"
#include "engine/tensor/sizes.h"
#include "engine/tensor/words.h"

namespace qspec {
namespace {

// Columns that are decoded together, from the caches.
constexpr size_t kPanel = 512;

// From a row of a panel to the next: rows a power of two apart would share few lines of the caches.
constexpr size_t kStride = kPanel + 32;

constexpr int64_t kMostBits = 24;

// A larger result leaves the caches before anyone reads it.
constexpr size_t kCachedBytes = 16 << 20;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorKind::kCheckpoint, message);
}

int64_t leading_columns(const VectorColumns& weight) {
  return weight.leading.defined() ? weight.leading.size(1) : 0;
}

void check_sizes(const VectorColumns& weight) {
  const at::ScalarType type = weight.vectors.scalar_type();
  if (type != at::kFloat && type != at::kHalf && type != at::kBFloat16) {
    refuse("vectors are " + std::string(torch_name(type)) +
           ", wanted float32, float16 or bfloat16");
  }
  if (weight.bits < 1 || weight.bits > kMostBits || weight.residual_bits < 0 ||
      weight.residual_bits > kMostBits) {
    refuse("indices of " + std::to_string(weight.bits) + " and " +
           std::to_string(weight.residual_bits) + " bits, wanted 1 to 24 and at most 24");
  }
  if (weight.vectors.dim() != 3 || weight.vectors.numel() == 0 || weight.indices.dim() != 3 ||
      weight.shape.size() != 2 || (weight.leading.defined() && weight.leading.dim() != 2)) {
    refuse("the parts have " + std::to_string(weight.vectors.dim()) + ", " +
           std::to_string(weight.indices.dim()) + " and " + std::to_string(weight.shape.size()) +
           " dimensions, wanted vectors with 3, indices with 3 and a weight with 2");
  }
  element_count(weight.shape);
}

at::Tensor checked_order(const VectorColumns& weight) {
  const int64_t columns = weight.shape[1];
  const at::Tensor order = checked_part(weight.order.to(at::kLong), "order", at::kLong, columns);
  const auto* data = order.const_data_ptr<int64_t>();
  const auto* wrong =
      std::find_if(data, data + columns, [&](int64_t c) { return c < 0 || c >= columns; });
  if (wrong == data + columns) return order;
  refuse("column " + std::to_string(wrong - data) + " is column " + std::to_string(*wrong) +
         " of " + std::to_string(columns));
}

void check_indices(const VectorColumns& weight, int64_t group_columns) {
  const int64_t rows = weight.vectors.size(2), blocks = ceil_div(weight.shape[0], rows);
  const int64_t bits = product(group_columns, weight.bits + weight.residual_bits);
  const at::Tensor& indices = weight.indices;
  if (indices.element_size() == 4 && indices.size(0) == weight.vectors.size(0) &&
      indices.size(1) == blocks && indices.size(2) >= ceil_div(bits, 32)) {
    return;
  }
  refuse("indices are " + std::to_string(indices.size(0)) + " x " +
         std::to_string(indices.size(1)) + " x " + std::to_string(indices.size(2)) + ", wanted " +
         std::to_string(weight.vectors.size(0)) + " x " + std::to_string(blocks) + " x " +
         std::to_string(ceil_div(bits, 32)) + " words of 32 bits");
}

// Columns of a group.
int64_t group_columns_of(const VectorColumns& weight) {
  const int64_t columns = weight.shape[1] - leading_columns(weight);
  const int64_t groups = weight.vectors.size(0);
  if (columns >= 0 && columns % groups == 0) return columns / groups;
  refuse(std::to_string(columns) + " columns in " + std::to_string(groups) + " groups");
}

VectorColumns checked(VectorColumns weight) {
  check_sizes(weight);
  const at::ScalarType type = weight.vectors.scalar_type();
  const int64_t groups = weight.vectors.size(0), rows = weight.vectors.size(2);
  check_indices(weight, group_columns_of(weight));
  weight.indices = checked_words(weight.indices, 3);
  const auto part = [&](at::Tensor& tensor, const char* name, int64_t count) {
    if (tensor.defined()) tensor = checked_part(tensor, name, type, count);
  };
  part(weight.vectors, "vectors", (groups * rows) << weight.bits);
  part(weight.residuals, "residuals", (groups * rows) << weight.residual_bits);
  part(weight.leading, "leading columns", weight.shape[0] * leading_columns(weight));
  part(weight.scales, "scales", weight.shape[1]);
  part(weight.shifts, "shifts", weight.shape[1]);
  if (weight.order.defined()) weight.order = checked_order(weight);
  if (weight.residuals.defined() != (weight.residual_bits > 0) ||
      weight.scales.defined() != weight.shifts.defined()) {
    refuse("residuals without bits of their indices, or scales without shifts");
  }
  return weight;
}

// Numbers of one dtype and the floats that they are.
struct Halves {
  using Number = uint16_t;
  static constexpr Number kNothing = 0x8000;  // -0, which changes no number that it is added to
  static void widen(const Number* from, float* to) { kernels().half_to_float(from, kPanel, to); }
  static void narrow(const float* from, Number* to) { kernels().float_to_half(from, kPanel, to); }
};

struct Bfloat16s {
  using Number = uint16_t;
  static constexpr Number kNothing = 0x8000;
  static void widen(const Number* from, float* to) {
    kernels().bfloat16_to_float(from, kPanel, to);
  }
  static void narrow(const float* from, Number* to) {
    kernels().float_to_bfloat16(from, kPanel, to);
  }
};

struct Floats {
  using Number = float;
  static constexpr Number kNothing = -0.0f;
  static void widen(const Number* from, float* to) { std::copy_n(from, kPanel, to); }
  static void narrow(const float* from, Number* to) { std::copy_n(from, kPanel, to); }
};

// Blocks of rows of a checked weight, a panel of columns at a time. The numbers of a panel lie row
// after row; those behind its last column are never used.
template <class Kind>
class Decoder {
 public:
  using Number = typename Kind::Number;

  explicit Decoder(const VectorColumns& weight)
      : weight_(weight),
        rows_(static_cast<size_t>(weight.vectors.size(2))),
        leading_(leading_columns(weight)),
        group_columns_(std::max<int64_t>(1, group_columns_of(weight))),
        order_(weight.order.defined() ? weight.order.const_data_ptr<int64_t>() : nullptr),
        vectors_(data(weight.vectors)),
        added_(weight.residuals.defined() ? data(weight.residuals) : nullptr),
        indices_(static_cast<const uint8_t*>(weight.indices.const_data_ptr())),
        blocks_(weight.indices.size(1)),
        index_bytes_(weight.indices.size(2) * 4),
        numbers_(rows_ * kStride),
        residuals_(weight.residuals.defined() ? rows_ * kStride : 0) {}

  void decode(int64_t block, int64_t first, size_t count, Number* result, bool streamed) {
    gather(block, first, count);
    const int64_t out = weight_.shape[0], in = weight_.shape[1];
    const int64_t begin = block * static_cast<int64_t>(rows_);
    for (int64_t row = begin; row < std::min(out, begin + static_cast<int64_t>(rows_)); ++row) {
      Number* numbers = numbers_.data() + static_cast<size_t>(row - begin) * kStride;
      finish(static_cast<size_t>(row - begin), first, count, numbers);
      Number* to = result + row * in + first;
      if (streamed) {
        kernels().stream(numbers, count * sizeof(Number), to);
      } else {
        std::copy_n(numbers, count, to);
      }
    }
  }

 private:
  static const Number* data(const at::Tensor& tensor) {
    return static_cast<const Number*>(tensor.const_data_ptr());
  }

  void gather(int64_t block, int64_t first, size_t count) {
    for (size_t j = 0; j < count; ++j) {
      const int64_t column = first + static_cast<int64_t>(j);
      const int64_t source = order_ != nullptr ? order_[column] : column;
      if (source < leading_) {
        take_leading(block, source, j);
      } else {
        take_vectors(block, source - leading_, j);
      }
    }
  }

  void take_leading(int64_t block, int64_t source, size_t j) {
    const int64_t begin = block * static_cast<int64_t>(rows_);
    for (size_t i = 0; i < rows_; ++i) {
      const int64_t row = begin + static_cast<int64_t>(i);
      if (row < weight_.shape[0]) {
        numbers_[i * kStride + j] = data(weight_.leading)[row * leading_ + source];
      }
      if (!residuals_.empty()) residuals_[i * kStride + j] = Kind::kNothing;
    }
  }

  void take_vectors(int64_t block, int64_t column, size_t j) {
    const int64_t group = column / group_columns_;
    const uint64_t code = index(group, block, column % group_columns_);
    const uint64_t mask = (uint64_t{1} << weight_.bits) - 1;
    take(vectors_, group, weight_.bits, code & mask, j, numbers_.data());
    if (residuals_.empty()) return;
    const uint64_t rest = code >> weight_.bits & ((uint64_t{1} << weight_.residual_bits) - 1);
    take(added_, group, weight_.residual_bits, rest, j, residuals_.data());
  }

  void take(const Number* book, int64_t group, int64_t bits, uint64_t code, size_t j,
            Number* to) const {
    const Number* vector = book + ((static_cast<uint64_t>(group) << bits) + code) * rows_;
    for (size_t i = 0; i < rows_; ++i) to[i * kStride + j] = vector[i];
  }

  // Both indices of a column, which lie in eight bytes.
  uint64_t index(int64_t group, int64_t block, int64_t column) const {
    const uint8_t* row = indices_ + (group * blocks_ + block) * index_bytes_;
    const int64_t bit = column * (weight_.bits + weight_.residual_bits), byte = bit / 8;
    uint64_t word = 0;
    if (byte + 8 <= index_bytes_) {
      std::memcpy(&word, row + byte, 8);
    } else {
      std::memcpy(&word, row + byte, static_cast<size_t>(index_bytes_ - byte));
    }
    return word >> bit % 8;
  }

  // What is done to a row of numbers after the look-up.
  void finish(size_t i, int64_t first, size_t count, Number* numbers) {
    if (residuals_.empty() && !weight_.scales.defined()) return;
    Kind::widen(numbers, floats_.data());
    if (!residuals_.empty()) {
      Kind::widen(residuals_.data() + i * kStride, others_.data());
      for (size_t j = 0; j < kPanel; ++j) floats_[j] += others_[j];
      Kind::narrow(floats_.data(), numbers);
    }
    if (!weight_.scales.defined()) return;
    Kind::widen(numbers, floats_.data());
    widen_part(data(weight_.scales) + first, count);
    for (size_t j = 0; j < kPanel; ++j) floats_[j] *= others_[j];
    Kind::narrow(floats_.data(), numbers);
    Kind::widen(numbers, floats_.data());
    widen_part(data(weight_.shifts) + first, count);
    for (size_t j = 0; j < kPanel; ++j) floats_[j] += others_[j];
    Kind::narrow(floats_.data(), numbers);
  }

  void widen_part(const Number* from, size_t count) {
    std::copy_n(from, count, part_.data());
    Kind::widen(part_.data(), others_.data());
  }

  const VectorColumns& weight_;
  size_t rows_;
  int64_t leading_, group_columns_;
  const int64_t* order_;
  const Number *vectors_, *added_;
  const uint8_t* indices_;
  int64_t blocks_, index_bytes_;
  std::vector<Number> numbers_, residuals_;
  std::array<Number, kPanel> part_{};
  alignas(64) std::array<float, kPanel> floats_{};
  alignas(64) std::array<float, kPanel> others_{};
};

template <class Kind>
void decode_all(const VectorColumns& weight, at::Tensor& result) {
  auto* to = static_cast<typename Kind::Number*>(result.mutable_data_ptr());
  const bool streamed = result.nbytes() > kCachedBytes;
  const int64_t blocks = ceil_div(weight.shape[0], weight.vectors.size(2)), in = weight.shape[1];
  parallel_ranges(blocks, 1, [&](int64_t begin, int64_t end) {
    Decoder<Kind> decoder(weight);
    for (int64_t block = begin; block < end; ++block) {
      for (int64_t first = 0; first < in; first += kPanel) {
        const int64_t count = std::min<int64_t>(kPanel, in - first);
        decoder.decode(block, first, static_cast<size_t>(count), to, streamed);
      }
    }
  });
}

}  // namespace

at::Tensor decoded_columns(const VectorColumns& unchecked) {
  const VectorColumns weight = checked(unchecked);
  const at::ScalarType type = weight.vectors.scalar_type();
  at::Tensor result = empty_tensor(weight.shape, type);
  if (type == at::kFloat) {
    decode_all<Floats>(weight, result);
  } else if (type == at::kHalf) {
    decode_all<Halves>(weight, result);
  } else {
    decode_all<Bfloat16s>(weight, result);
  }
  return result;
}

}  // namespace qspec
