#include "engine/tensor/packed_on_gpu.h"

#include <ATen/ops/empty.h>

#include <utility>

#include "engine/core/error.h"
#include "engine/tensor/on_gpu.h"

namespace qspec {
namespace {

class CodebookOnGpu final : public PackedWeight {
 public:
  // What is not on the device is brought there.
  CodebookOnGpu(Codebook4 codes, c10::Device device, const cuda::KernelTable& kernels)
      : kernels_(kernels), codes_(std::move(codes)) {
    codes_.codebook = codes_.codebook.cpu();
    codes_.packed = codes_.packed.to(device);
    codes_.absmax = codes_.absmax.to(device);
    on_device_ = codes_on_device(codes_, codes_.codebook);
  }

  const std::vector<int64_t>& shape() const override { return codes_.shape; }
  int64_t bytes() const override {
    return static_cast<int64_t>(codes_.packed.nbytes() + codes_.absmax.nbytes() +
                                codes_.codebook.nbytes());
  }

  Comparison compare(const at::Tensor& baseline) const override {
    check_same_shape(codes_.shape, baseline);
    kernels_.use_device(codes_.packed.device().index());
    const at::Tensor there = baseline.to(codes_.packed.device());
    if (const auto result = compare4_on_gpu(on_device_, there)) return *result;
    return on_host().compare(baseline);
  }

  CodeStatistics statistics() const override { return on_host().statistics(); }

  const Codebook4* codes4() const override { return &codes_; }
  std::shared_ptr<const PackedWeight> with_codes4(Codebook4 moved) const override {
    return std::make_shared<const CodebookOnGpu>(std::move(moved), codes_.packed.device(),
                                                 kernels_);
  }

  at::Tensor decode(at::ScalarType dtype) const override {
    at::Tensor result = at::empty(shape(), codes_.packed.options().dtype(dtype));
    kernels_.use_device(codes_.packed.device().index());
    kernels_.dequantize4(on_device_, element_of(dtype), result.mutable_data_ptr(), nullptr);
    return result;
  }

 private:
  CodebookBlockwise on_host() const {
    return CodebookBlockwise({codes_.packed.cpu(), codes_.codebook, codes_.absmax.cpu(),
                              codes_.block_size, codes_.shape});
  }

  const cuda::KernelTable& kernels_;
  Codebook4 codes_;  // packed and absmax on the device, the codebook on the host
  cuda::Codes4OnDevice on_device_{};
};

class RowwiseOnGpu final : public PackedWeight {
 public:
  explicit RowwiseOnGpu(Rowwise8 weight)
      : weight_(std::move(weight)), shape_(weight_.codes.sizes().vec()) {}

  const std::vector<int64_t>& shape() const override { return shape_; }
  int64_t bytes() const override {
    return static_cast<int64_t>(weight_.codes.nbytes() + weight_.absmax.nbytes());
  }

  Comparison compare(const at::Tensor& baseline) const override {
    check_same_shape(shape_, baseline);
    const at::Tensor there = baseline.to(weight_.codes.device());
    const int64_t columns = std::max<int64_t>(1, shape_[1]);
    if (const auto result = compare_on_gpu(decode(at::kFloat), there, columns)) return *result;
    return on_host().compare(baseline);
  }

  CodeStatistics statistics() const override { return on_host().statistics(); }

  at::Tensor decode(at::ScalarType dtype) const override {
    if (auto result = dequantize_on_gpu(weight_, dtype)) return *std::move(result);
    return on_host().decode(dtype);
  }

 private:
  RowwiseInt8 on_host() const { return RowwiseInt8({weight_.codes.cpu(), weight_.absmax.cpu()}); }

  Rowwise8 weight_;  // on the device
  std::vector<int64_t> shape_;
};

}  // namespace

std::shared_ptr<const PackedWeight> packed_on_gpu(const std::shared_ptr<const PackedWeight>& weight,
                                                  c10::Device device) {
  const cuda::KernelTable* kernels = gpu_kernels();
  const auto* codes = dynamic_cast<const CodebookBlockwise*>(weight.get());
  if (kernels == nullptr || codes == nullptr) return nullptr;
  return std::make_shared<const CodebookOnGpu>(codes->codes(), device, *kernels);
}

std::shared_ptr<const PackedWeight> packed_where_it_lies(Codebook4 codes) {
  const cuda::KernelTable* kernels = gpu_kernels();
  if (kernels == nullptr || !codes.packed.is_cuda()) {
    codes.packed = codes.packed.cpu();
    codes.codebook = codes.codebook.cpu();
    codes.absmax = codes.absmax.cpu();
    return std::make_shared<const CodebookBlockwise>(std::move(codes));
  }
  const c10::Device device = codes.packed.device();
  return std::make_shared<const CodebookOnGpu>(checked(std::move(codes)), device, *kernels);
}

std::shared_ptr<const PackedWeight> packed_where_it_lies(Rowwise8 weight) {
  if (gpu_kernels() == nullptr || !weight.codes.is_cuda()) {
    return std::make_shared<const RowwiseInt8>(Rowwise8{weight.codes.cpu(), weight.absmax.cpu()});
  }
  weight.absmax = weight.absmax.to(weight.codes.device());
  return std::make_shared<const RowwiseOnGpu>(checked(std::move(weight)));
}

}  // namespace qspec
