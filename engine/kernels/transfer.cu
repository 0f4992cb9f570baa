#include "engine/kernels/transfer.h"

#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/kernels/launch.cuh"

namespace qspec::cuda {
namespace {

constexpr cudaStream_t kWork = nullptr;  // the default stream

__global__ void touch() {}

class CudaUploadDevice final : public UploadDevice {
 public:
  explicit CudaUploadDevice(int number) : number_(number) {
    use();
    check(cudaStreamCreateWithFlags(&copies_, cudaStreamNonBlocking), "making a stream");
    check(cudaEventCreateWithFlags(&work_, cudaEventDisableTiming), "making an event");
  }
  ~CudaUploadDevice() override {
    if (cudaSetDevice(number_) != cudaSuccess) return;
    for (cudaEvent_t mark : marks_) cudaEventDestroy(mark);
    cudaEventDestroy(work_);
    cudaStreamDestroy(copies_);
  }
  CudaUploadDevice(const CudaUploadDevice&) = delete;
  CudaUploadDevice& operator=(const CudaUploadDevice&) = delete;

  void enter() override { use(); }
  int number() const override { return number_; }

  uint64_t free_bytes() override {
    size_t free = 0, all = 0;
    check(cudaMemGetInfo(&free, &all), "asking for the free memory of the GPU");
    return free;
  }

  std::byte* allocate(uint64_t bytes) override {
    void* memory = nullptr;
    const cudaError_t status = cudaMalloc(&memory, bytes);
    if (status == cudaErrorMemoryAllocation) throw out_of_memory(bytes);
    check(status, "allocating memory on the GPU");
    return static_cast<std::byte*>(memory);
  }

  // Without memory for the tensors that are on their way nothing may be given back.
  void give_back(std::byte* memory) noexcept override {
    cudaStreamSynchronize(copies_);
    cudaFree(memory);
  }

  std::byte* allocate_staging(uint64_t bytes) override {
    void* memory = nullptr;
    check(cudaHostAlloc(&memory, bytes, cudaHostAllocPortable), "pinning memory for copies");
    return static_cast<std::byte*>(memory);
  }

  void give_back_staging(std::byte* memory) noexcept override {
    cudaStreamSynchronize(copies_);
    cudaFreeHost(memory);
  }

  void make_marks(size_t count) override {
    for (size_t i = 0; i < count; ++i) {
      marks_.push_back(nullptr);
      check(cudaEventCreateWithFlags(&marks_.back(), cudaEventDisableTiming), "making an event");
    }
  }

  void copy(std::byte* to, std::span<const std::byte> from) override {
    check(cudaMemcpyAsync(to, from.data(), from.size(), cudaMemcpyHostToDevice, copies_),
          "copying to the GPU");
  }

  void set_mark(size_t mark) override {
    check(cudaEventRecord(marks_[mark], copies_), "copying to the GPU");
  }

  void wait_for_mark(size_t mark) override {
    check(cudaEventSynchronize(marks_[mark]), "copying to the GPU");
  }

  void work_after_mark(size_t mark) override {
    check(cudaStreamWaitEvent(kWork, marks_[mark]), "waiting for a copy to the GPU");
  }

  void copies_after_work() override {
    check(cudaEventRecord(work_, kWork), "waiting for work on the GPU");
    check(cudaStreamWaitEvent(copies_, work_), "waiting for work on the GPU");
  }

 private:
  void use() const { check(cudaSetDevice(number_), "taking the GPU"); }

  Error out_of_memory(uint64_t wanted) {
    cudaGetLastError();  // it is told here, and not at the next launch
    return Error(ErrorKind::kDevice, "out of memory on the GPU: " + std::to_string(wanted) +
                                         " bytes were wanted, " + std::to_string(free_bytes()) +
                                         " are free")
        .hint("a GPU with more memory, --device cpu, or end what else runs there");
  }

  int number_;
  cudaStream_t copies_ = nullptr;
  cudaEvent_t work_ = nullptr;
  std::vector<cudaEvent_t> marks_;
};

}  // namespace

std::shared_ptr<UploadDevice> make_upload_device(int number) {
  return std::make_shared<CudaUploadDevice>(number);
}

int device_count() {
  int count = 0;
  check(cudaGetDeviceCount(&count), "asking the NVIDIA driver for GPUs");
  return count;
}

DeviceFacts device_facts(int number) {
  check(cudaSetDevice(number), "taking the GPU");
  // Asked of a kernel: the runtime loads them one by one, and says no only then.
  cudaFuncAttributes attributes{};
  check(cudaFuncGetAttributes(&attributes, touch), "looking for kernels for the GPU");
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, number), "asking for the properties of the GPU");
  size_t free = 0, all = 0;
  check(cudaMemGetInfo(&free, &all), "asking for the free memory of the GPU");
  DeviceFacts facts{};
  facts.name = properties.name;
  facts.major = properties.major;
  facts.minor = properties.minor;
  facts.memory_bytes = all;
  facts.free_bytes = free;
  return facts;
}

}  // namespace qspec::cuda
