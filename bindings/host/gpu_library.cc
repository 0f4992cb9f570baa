#include "bindings/host/gpu_library.h"

#include <dlfcn.h>

#include <future>
#include <map>
#include <mutex>

#include "bindings/host/own_library.h"
#include "bindings/host/torch_loader.h"
#include "engine/core/error.h"
#include "engine/core/timeline.h"

namespace qspec::lua {
namespace {

constexpr const char* kKernels = "libqspec_cuda.so";
constexpr const char* kHint = "--device cpu runs everything";

using Count = std::shared_future<int>;
using Facts = std::shared_future<cuda::DeviceFacts>;

struct Begun {
  std::mutex mutex;
  Count count;
  std::map<int, Facts> facts;
};

// Never destroyed: its threads may outlive main.
Begun& begun() {
  static Begun& instance = *new Begun;
  return instance;
}

const cuda::KernelTable* mapped_table(const Installation& installation) {
  const auto path = find_own_library(installation, kKernels);
  if (!path) return nullptr;
  void* library = map_library(*path, kHint);
  using Find = const cuda::KernelTable* (*)();
  const auto find = reinterpret_cast<Find>(dlsym(library, cuda::kTableSymbol));
  if (find == nullptr) {
    throw Error(ErrorKind::kInternal, std::string("no table of kernels is in ") + *path);
  }
  return find();
}

const cuda::KernelTable& needed_table(const Installation& installation) {
  if (const cuda::KernelTable* table = gpu_table(installation)) return *table;
  throw Error(ErrorKind::kDevice, std::string("there is no ") + kKernels + " beside the program")
      .at(installation.folder)
      .hint("./qspec setup --cuda builds it");
}

int counted(const Installation& installation) {
  const Timed timed("NVIDIA driver begun");
  return needed_table(installation).device_count();
}

cuda::DeviceFacts asked(const Installation& installation, int number, const Count& count) {
  count.get();
  const Timed timed("GPU context");
  return needed_table(installation).device_facts(number);
}

Count count_of(const Installation& installation) {
  const std::lock_guard lock(begun().mutex);
  Count& count = begun().count;
  if (!count.valid()) count = std::async(std::launch::async, counted, installation).share();
  return count;
}

Facts facts_of(const Installation& installation, int number) {
  const Count count = count_of(installation);
  const std::lock_guard lock(begun().mutex);
  const auto [found, is_new] = begun().facts.try_emplace(number);
  if (is_new) {
    found->second = std::async(std::launch::async, asked, installation, number, count).share();
  }
  return found->second;
}

}  // namespace

std::string gpu_obstacle(const Installation& installation) {
  if (!has_gpu_library(installation)) {
    return std::string("there is no ") + kKernels + " beside the program (./qspec setup --cuda)";
  }
  if (!has_torch_cuda(installation)) {
    return "LibTorch has no CUDA side here (QSPEC_TORCH=DIR ./qspec setup takes another)";
  }
  return "";
}

bool has_gpu_library(const Installation& installation) {
  return find_own_library(installation, kKernels).has_value();
}

const cuda::KernelTable* gpu_table(const Installation& installation) {
  static const cuda::KernelTable* const table = mapped_table(installation);
  return table;
}

// The driver first: it maps libraries of its own, and would wait until all of LibTorch is mapped.
void begin_gpu(const Installation& installation, int number) {
  if (!has_gpu_library(installation)) return;
  facts_of(installation, number);
  begin_torch_cuda(installation, number, [count = count_of(installation)] { count.wait(); });
}

int gpu_count(const Installation& installation) {
  return count_of(installation).get();
}

cuda::DeviceFacts gpu_facts(const Installation& installation, int number) {
  return facts_of(installation, number).get();
}

}  // namespace qspec::lua
