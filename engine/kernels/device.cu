#include <array>
#include <mutex>
#include <string>

#include "engine/core/error.h"
#include "engine/kernels/launch.cuh"

namespace qspec::cuda {
namespace {

constexpr int kMostDevices = 64;

const char* hint_of(cudaError_t status) {
  switch (status) {
    case cudaErrorMemoryAllocation:
      return "a smaller model, a smaller batch, or --device cpu";
    case cudaErrorInsufficientDriver:
      return "the NVIDIA driver is older than CUDA 13 asks for; --device cpu runs everything";
    case cudaErrorNoKernelImageForDevice:
      return "the build has no kernels for this chip; CMAKE_CUDA_ARCHITECTURES names those it has";
    case cudaErrorECCUncorrectable:
      return "the GPU's memory has a fault; nvidia-smi -q -d ECC says more, --device cpu runs "
             "everything";
    case cudaErrorDevicesUnavailable:
      return "another process has the GPU for itself, or it is lost; nvidia-smi says which";
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
      return "nothing on this GPU can be trusted from here on; --device cpu runs everything";
    default:
      return "--device cpu runs everything";
  }
}

Device asked(int number) {
  Device device;
  check(cudaDeviceGetAttribute(&device.multiprocessors, cudaDevAttrMultiProcessorCount, number),
        "asking for the multiprocessors of the GPU");
  check(
      cudaDeviceGetAttribute(&device.shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, number),
      "asking for the shared memory of the GPU");
  check(cudaDeviceGetAttribute(&device.major, cudaDevAttrComputeCapabilityMajor, number),
        "asking for the generation of the GPU");
  check(cudaDeviceGetAttribute(&device.minor, cudaDevAttrComputeCapabilityMinor, number),
        "asking for the generation of the GPU");
  return device;
}

}  // namespace

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw Error(ErrorKind::kDevice, std::string(what) + ": " + cudaGetErrorString(status))
      .hint(hint_of(status));
}

const Device& current_device() {
  static std::array<Device, kMostDevices> devices;
  static std::mutex mutex;
  int number = 0;
  check(cudaGetDevice(&number), "asking for the current GPU");
  const std::lock_guard lock(mutex);
  Device& device = devices.at(static_cast<size_t>(number));
  if (device.multiprocessors == 0) device = asked(number);
  return device;
}

}  // namespace qspec::cuda
