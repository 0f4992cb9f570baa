#include "engine/checkpoint/gguf_types.h"

#include <algorithm>
#include <iterator>

namespace qspec {
namespace {

struct Row {
  uint64_t number;
  Dtype dtype;
};

// ggml.h, enum ggml_type.
constexpr Row kTypes[] = {
    {0, Dtype::kF32},     {1, Dtype::kF16},    {2, Dtype::kQ4_0},    {3, Dtype::kQ4_1},
    {6, Dtype::kQ5_0},    {7, Dtype::kQ5_1},   {8, Dtype::kQ8_0},    {9, Dtype::kQ8_1},
    {10, Dtype::kQ2K},    {11, Dtype::kQ3K},   {12, Dtype::kQ4K},    {13, Dtype::kQ5K},
    {14, Dtype::kQ6K},    {15, Dtype::kQ8K},   {16, Dtype::kIq2Xxs}, {17, Dtype::kIq2Xs},
    {18, Dtype::kIq3Xxs}, {19, Dtype::kIq1S},  {20, Dtype::kIq4Nl},  {21, Dtype::kIq3S},
    {22, Dtype::kIq2S},   {23, Dtype::kIq4Xs}, {24, Dtype::kI8},     {25, Dtype::kI16},
    {26, Dtype::kI32},    {27, Dtype::kI64},   {28, Dtype::kF64},    {29, Dtype::kIq1M},
    {30, Dtype::kBF16},   {34, Dtype::kTq1_0}, {35, Dtype::kTq2_0},  {39, Dtype::kMxfp4},
    {40, Dtype::kNvfp4},  {41, Dtype::kQ1_0},
};

// Q4_2 and Q4_3, then the types that were repacked for one kind of processor.
constexpr uint64_t kRemoved[] = {4, 5, 31, 32, 33, 36, 37, 38};

}  // namespace

std::optional<Dtype> dtype_of_ggml_type(uint64_t number) {
  for (const Row& row : kTypes) {
    if (row.number == number) return row.dtype;
  }
  return std::nullopt;
}

bool is_removed_ggml_type(uint64_t number) {
  return std::find(std::begin(kRemoved), std::end(kRemoved), number) != std::end(kRemoved);
}

}  // namespace qspec
