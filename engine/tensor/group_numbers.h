#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace qspec {

// Scales, zeros or shifts of the groups of a weight, as a checkpoint stores them. Floats are made
// of those alone that a part of a row is decoded with, while the caches hold them.
class GroupNumbers {
 public:
  // None.
  GroupNumbers() = default;

  // Of floats, float16, bfloat16, or of bytes that stand for `values` [256].
  explicit GroupNumbers(at::Tensor stored, const at::Tensor& values = at::Tensor());

  bool exist() const { return stored_.defined(); }

  // Room for the floats of a row, made when it is first needed.
  class Room {
   public:
    float* of(int64_t count) {
      if (!floats_) floats_ = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(count));
      return floats_.get();
    }

   private:
    std::unique_ptr<float[]> floats_;
  };

  // The floats of a row of `all` numbers from `begin` on, of which first..first+count-1 are asked
  // for and the others may be anything: where they lie, or in `room`. Null when there are none.
  const float* row(int64_t begin, int64_t all, int64_t first, int64_t count, Room& room) const;

  // All of them.
  at::Tensor floats() const;

  // Whether they are the same, to the bit, and there are some.
  bool all_equal() const;

 private:
  void widen(int64_t begin, int64_t count, float* to) const;

  at::Tensor stored_;
  std::vector<float> values_;
};

// `part` contiguous as GroupNumbers take it, bytes where `values` are defined. Throws
// Error(kCheckpoint) that calls it `name` when it does not have `count` real numbers.
at::Tensor checked_numbers(const at::Tensor& part, const char* name, int64_t count,
                           const at::Tensor& values = at::Tensor());

}  // namespace qspec
