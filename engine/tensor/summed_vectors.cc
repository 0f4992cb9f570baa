#include "engine/tensor/summed_vectors.h"

#include <string>
#include <utility>

#include "engine/core/error.h"
#include "engine/tensor/dtypes.h"
#include "engine/tensor/float_source.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/parallel.h"
#include "engine/tensor/parts.h"
#include "engine/tensor/sizes.h"
#include "engine/tensor/statistics.h"
#include "engine/tensor/words.h"

namespace qspec {
namespace {

constexpr int64_t kGrain = 1 << 16;

// A larger result leaves the caches before anyone reads it.
constexpr size_t kCachedBytes = 16 << 20;

// As of a dense tensor.
constexpr int64_t kCompared = 64;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorKind::kCheckpoint, message);
}

void check_codebooks(const at::Tensor& books) {
  const at::ScalarType type = books.scalar_type();
  if (type != at::kFloat && type != at::kHalf && type != at::kBFloat16) {
    refuse("codebooks are " + std::string(torch_name(type)) +
           ", wanted float32, float16 or bfloat16");
  }
  if (books.dim() != 4 || books.numel() == 0 || (books.size(1) & (books.size(1) - 1)) != 0) {
    refuse("codebooks have " + std::to_string(books.dim()) + " dimensions and " +
           std::to_string(books.numel()) +
           " numbers, wanted books of 2^bits vectors of rows by columns");
  }
}

void check_shape(const VectorSums& weight) {
  const at::Tensor& books = weight.codebooks;
  element_count(weight.shape);
  if (weight.shape.size() == 2 && weight.shape[0] % books.size(2) == 0 &&
      weight.shape[1] % books.size(3) == 0) {
    return;
  }
  refuse("vectors of " + std::to_string(books.size(2)) + " x " + std::to_string(books.size(3)) +
         " do not divide the weight");
}

VectorSums checked(VectorSums weight) {
  check_codebooks(weight.codebooks);
  check_shape(weight);
  const at::Tensor& books = weight.codebooks;
  const int64_t groups = weight.shape[0] / books.size(2);
  const int64_t codes = groups * (weight.shape[1] / books.size(3)) * books.size(0);
  weight.codes = checked_words(weight.codes, 1);
  if (weight.codes.element_size() > 4) refuse("codes have 64 bits, wanted 8, 16 or 32");
  weight.codes = checked_part(weight.codes, "codes", weight.codes.scalar_type(), codes);
  weight.scales = checked_part(weight.scales.to(books.scalar_type()).to(at::kFloat), "scales",
                               at::kFloat, groups);
  weight.codebooks = books.contiguous();
  return weight;
}

Rounding kind_of(at::ScalarType dtype) {
  if (dtype == at::kFloat) return Rounding::kNone;
  return dtype == at::kHalf ? Rounding::kHalf : Rounding::kBfloat16;
}

// Rows of a weight, as the kernels take them.
class VectorRows {
 public:
  explicit VectorRows(const VectorSums& weight)
      : weight_(weight), vectors_(weight.shape[1] / weight.codebooks.size(3)) {
    const at::Tensor& books = weight.codebooks;
    number_bytes_ = static_cast<size_t>(books.element_size());
    common_.code_bytes = static_cast<size_t>(weight.codes.element_size());
    common_.mask = static_cast<uint32_t>(books.size(1) - 1);
    common_.books = static_cast<size_t>(books.size(0));
    common_.vector_bytes = static_cast<size_t>(books.size(2) * books.size(3)) * number_bytes_;
    common_.book_bytes = static_cast<size_t>(books.size(1)) * common_.vector_bytes;
    common_.width = static_cast<size_t>(books.size(3));
    common_.kind = kind_of(books.scalar_type());
  }

  size_t vectors() const { return static_cast<size_t>(vectors_); }

  VectorCodes row(int64_t number) const {
    const int64_t rows = weight_.codebooks.size(2), group = number / rows;
    const auto bytes = static_cast<int64_t>(common_.code_bytes * common_.books);
    VectorCodes row = common_;
    row.codes =
        static_cast<const uint8_t*>(weight_.codes.const_data_ptr()) + group * vectors_ * bytes;
    row.numbers = static_cast<const uint8_t*>(weight_.codebooks.const_data_ptr()) +
                  static_cast<size_t>(number % rows) * common_.width * number_bytes_;
    row.scale = weight_.scales.const_data_ptr<float>()[group];
    return row;
  }

 private:
  const VectorSums& weight_;
  int64_t vectors_;
  size_t number_bytes_ = 0;
  VectorCodes common_{};
};

}  // namespace

SummedVectors::SummedVectors(VectorSums weight) : weight_(checked(std::move(weight))) {}

int64_t SummedVectors::bytes() const {
  return static_cast<int64_t>(weight_.codes.nbytes() + weight_.codebooks.nbytes() +
                              weight_.scales.nbytes());
}

at::Tensor SummedVectors::decoded() const {
  const VectorRows rows(weight_);
  at::Tensor result = empty_tensor(weight_.shape, weight_.codebooks.scalar_type());
  auto* to = static_cast<uint8_t*>(result.mutable_data_ptr());
  const int64_t columns = weight_.shape[1], bytes = columns * result.element_size();
  const bool streamed = result.nbytes() > kCachedBytes;
  const int64_t at_once = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, columns));
  parallel_ranges(weight_.shape[0], at_once, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      kernels().sum_vectors(rows.row(row), rows.vectors(), to + row * bytes, streamed);
    }
  });
  return result;
}

at::Tensor SummedVectors::decode(at::ScalarType dtype) const {
  at::Tensor result = decoded();
  if (dtype == result.scalar_type()) return result;
  return materialize(float_source(result), weight_.shape, dtype, 1);
}

Comparison SummedVectors::compare(const at::Tensor& baseline) const {
  check_same_shape(weight_.shape, baseline);
  return qspec::compare(float_source(decoded()), float_source(baseline), baseline.numel(),
                        kCompared);
}

CodeStatistics SummedVectors::statistics() const {
  const auto vectors = static_cast<size_t>(weight_.codebooks.size(1));
  CodeStatistics result{.histogram = std::vector<int64_t>(vectors)};
  with_word(weight_.codes.element_size(), [&](auto zero) {
    const auto* codes = static_cast<const decltype(zero)*>(weight_.codes.const_data_ptr());
    for (int64_t i = 0; i < weight_.codes.numel(); ++i) {
      ++result.histogram[static_cast<size_t>(codes[i]) & (vectors - 1)];
    }
  });
  const Statistics scales = qspec::statistics(weight_.scales);
  result.scales = scales.count;
  result.zero_scales = scales.zeros;
  result.nonfinite_scales = scales.nan + scales.inf;
  return result;
}

}  // namespace qspec
