#pragma once

#include <memory>
#include <string>

#include "engine/upload/device.h"

namespace qspec::cuda {

// The GPU of that number: copies on a stream of their own, work on the default stream, which is
// LibTorch's. Begins the context where there is none yet, which takes a quarter of a second.
std::shared_ptr<UploadDevice> make_upload_device(int number);

// What the driver says of a GPU, in plain types.
struct DeviceFacts {
  std::string name;
  int major;
  int minor;
  uint64_t memory_bytes;
  uint64_t free_bytes;
};

// GPUs that the driver shows. Throws Error(kDevice) when it shows none, or is too old.
int device_count();
// Begins the context of that GPU. Throws Error(kDevice), also where no kernel here runs on it.
DeviceFacts device_facts(int number);

}  // namespace qspec::cuda
