#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/json.h"
#include "engine/kernels/device.h"
#include "engine/kernels/step/places.h"
#include "engine/model/kv_cache.h"
#include "engine/model/linear.h"
#include "engine/model/weights.h"

namespace qspec::cuda {
struct StepTable;
}

namespace qspec::step {

// What a step is planned from.
struct Source {
  const Json& ops;            // of the decoder, which have been checked
  const std::string& logits;  // the register that they leave them in
  const Weights& weights;     // on the device
  const Linears& linears;
  const cuda::StepTable& kernels;
  int64_t layers;
  c10::Device device;
};

struct Launch {
  std::string_view kernel;
  std::function<void(cuda::Stream)> start;
};

// The launches of a decoding step: one token of each sequence through the whole program. They point
// into the cache, the weights and the memory that is held here.
struct Plan {
  std::vector<Launch> launches;
  std::vector<at::Tensor> memory;
  at::ScalarType dtype = at::kFloat;
  at::Tensor ids;                // int64 [B], what the step reads
  at::Tensor lengths, starts;    // int32 [B] (cuda::Progress)
  const void* logits = nullptr;  // [B, vocabulary]
  const void* hidden = nullptr;  // [B, width], what the head was given
  int64_t vocabulary = 0, width = 0;

  cuda::Progress progress() const {
    return {lengths.mutable_data_ptr<int32_t>(), starts.const_data_ptr<int32_t>()};
  }
};

// For sequences that `cache` holds; `starts` int32 [B] counts the padding before each. Throws
// Error(kUnsupported), which says why, for a program that no kernels are there for: it runs
// instruction by instruction (Program).
Plan plan_step(const Source& source, const KvCache& cache, const at::Tensor& starts);

cuda::Element element_of(at::ScalarType dtype);

}  // namespace qspec::step
