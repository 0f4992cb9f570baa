#include "engine/model/placement.h"

#include <utility>

#include "engine/tensor/packed_on_gpu.h"

namespace qspec {
namespace {

class Placing {
 public:
  explicit Placing(c10::Device device) : device_(device) {}

  void place(at::Tensor& tensor) {
    if (!tensor.defined()) return;
    const auto [found, is_new] = copies_.try_emplace(tensor.unsafeGetTensorImpl());
    if (is_new) found->second = tensor.to(device_);
    tensor = found->second;
  }

 private:
  c10::Device device_;
  std::map<const c10::TensorImpl*, at::Tensor> copies_;
};

}  // namespace

Weights placed(const Weights& weights, c10::Device device) {
  Weights result = weights;
  Placing placing(device);
  for (auto& [name, module] : result) {
    if (module.packed && device.is_cuda()) {
      if (auto there = packed_on_gpu(module.packed, device)) module.packed = std::move(there);
    }
    placing.place(module.weight);
    placing.place(module.bias);
    placing.place(module.output_scale);
    if (module.int8) {
      placing.place(module.int8->codes);
      placing.place(module.int8->absmax);
    }
  }
  return result;
}

}  // namespace qspec
