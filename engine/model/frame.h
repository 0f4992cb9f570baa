#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/model/kv_cache.h"

namespace qspec {

using Slot = uint32_t;

// What one run of a program works on. Letters of shapes: B sequences, T tokens of this run, L
// tokens with those in the cache, H heads, K heads of keys and values, D values a head.
struct Frame {
  std::vector<at::Tensor> slots;
  KvCache& cache;
  bool last_position_only = false;
  const std::set<std::string, std::less<>>& wanted_taps;
  std::map<std::string, at::Tensor> taps;
  at::Tensor exact_rows;          // int64 [n]: a linear gives these outputs alone, as fp64 sums
  at::Generator random_rounding;  // defined: products are rounded at random; random_rounding.h

  at::Tensor& operator[](Slot slot) { return slots[slot]; }
};

// One instruction, its attributes read and its weights bound. Leaves the program's state as it is:
// everything that changes is in the frame.
using Operation = std::function<void(Frame&)>;

}  // namespace qspec
