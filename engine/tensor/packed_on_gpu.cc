#include "engine/tensor/packed_on_gpu.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <string>
#include <utility>

#include "engine/core/error.h"
#include "engine/tensor/gpu_kernels.h"

namespace qspec {
namespace {

cuda::Element element_of(at::ScalarType dtype) {
  if (dtype == at::kFloat) return cuda::Element::kFloat32;
  if (dtype == at::kHalf) return cuda::Element::kFloat16;
  if (dtype == at::kBFloat16) return cuda::Element::kBfloat16;
  throw Error(ErrorKind::kSpec, std::string("cannot decode to ") + at::toString(dtype))
      .hint("wanted float32, float16 or bfloat16");
}

class CodebookOnGpu final : public PackedWeight {
 public:
  // `codes` has its packed and absmax on the GPU.
  CodebookOnGpu(std::shared_ptr<const PackedWeight> weight, Codebook4 codes,
                const cuda::KernelTable& kernels)
      : weight_(std::move(weight)), kernels_(kernels), codes_(std::move(codes)) {
    on_device_.packed = codes_.packed.const_data_ptr<uint8_t>();
    on_device_.absmax = codes_.absmax.const_data_ptr<float>();
    std::copy_n(codes_.codebook.const_data_ptr<float>(), 16, on_device_.codebook.value);
    on_device_.block_size = codes_.block_size;
    on_device_.count = 1;
    for (const int64_t size : codes_.shape) on_device_.count *= size;
  }

  const std::vector<int64_t>& shape() const override { return weight_->shape(); }
  int64_t bytes() const override { return weight_->bytes(); }
  Comparison compare(const at::Tensor& baseline) const override {
    return weight_->compare(baseline);
  }
  CodeStatistics statistics() const override { return weight_->statistics(); }
  const Codebook4* codes4() const override { return &codes_; }
  std::shared_ptr<const PackedWeight> with_codes4(Codebook4 moved) const override {
    return std::make_shared<const CodebookOnGpu>(weight_, std::move(moved), kernels_);
  }

  at::Tensor decode(at::ScalarType dtype) const override {
    at::Tensor result = at::empty(shape(), codes_.packed.options().dtype(dtype));
    kernels_.use_device(codes_.packed.device().index());
    kernels_.dequantize4(on_device_, element_of(dtype), result.mutable_data_ptr(), nullptr);
    return result;
  }

 private:
  std::shared_ptr<const PackedWeight> weight_;
  const cuda::KernelTable& kernels_;
  Codebook4 codes_;
  cuda::Codes4OnDevice on_device_{};
};

}  // namespace

std::shared_ptr<const PackedWeight> packed_on_gpu(std::shared_ptr<const PackedWeight> weight,
                                                  c10::Device device) {
  const cuda::KernelTable* kernels = gpu_kernels();
  const auto* codes = dynamic_cast<const CodebookBlockwise*>(weight.get());
  if (kernels == nullptr || codes == nullptr) return nullptr;
  Codebook4 there = codes->codes();
  there.packed = there.packed.to(device);
  there.absmax = there.absmax.to(device);
  return std::make_shared<const CodebookOnGpu>(std::move(weight), std::move(there), *kernels);
}

}  // namespace qspec
