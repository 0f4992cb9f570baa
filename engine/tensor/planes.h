#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace qspec {

struct Coded;

// The codes of a weight whose words hold one code of each plane (Coded::planes): taken out of the
// words part by part, so that no tensor of codes is made.
class Planes {
 public:
  // Of a checked weight that has planes.
  explicit Planes(const Coded& weight);

  // The bits of a code once it is in a row.
  static constexpr int kBits = 4;

  // Puts the codes of elements begin..begin+count-1 into a row of nibbles, from place `first` on.
  void gather(int64_t begin, int64_t count, int64_t first, uint8_t* row) const;

  // Calls body(begin, end) over disjoint parts of the elements 0..count-1 on LibTorch's threads,
  // about `grain` words each: part after part of the words, for all planes, while caches hold it.
  void for_ranges(int64_t count, int64_t grain,
                  const std::function<void(int64_t begin, int64_t end)>& body) const;

 private:
  at::Tensor words_;
  int bits_;
  std::vector<int64_t> shifts_;
};

// The words of a weight with planes, contiguous. Throws Error(kCheckpoint) when they are too few or
// no integers, Error(kSpec) for planes that are not in the words.
at::Tensor checked_planes(const Coded& weight);

}  // namespace qspec
