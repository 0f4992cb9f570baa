#include "bindings/host/torch_loader.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bindings/boundary.h"
#include "bindings/host/host.h"
#include "bindings/host/own_library.h"
#include "engine/core/file.h"
#include "engine/core/timeline.h"

namespace qspec::lua {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMarker = "lib/libtorch_cpu.so";
constexpr const char* kCudaMarker = "lib/libtorch_cuda.so";
constexpr const char* kKernels = "libqspec_cuda.so";
constexpr const char* kDriver = "libcuda.so.1";
constexpr const char* kCpuHint = "--device cpu runs everything";
constexpr const char* kWarmUp = "qspec_warm_up";
constexpr const char* kOwnLibrary = "libqspec_torch.so";
constexpr const char* kHint =
    "./qspec setup fetches the torch that qspec was built with; QSPEC_TORCH names the folder of "
    "another of the same version";

[[noreturn]] void refuse(const std::string& message, const std::string& where) {
  throw Error(ErrorKind::kUnsupported, message).at(where).hint(kHint);
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

std::string torch_path_file(const Installation& installation) {
  const std::string path = installation.folder + "/torch.path";
  if (!is_file(path)) return "";
  const std::string text = read_text_file(path, 4096);
  return text.substr(0, text.find('\n'));
}

std::string torch_folder(const Installation& installation) {
  if (const char* named = std::getenv("QSPEC_TORCH"); named != nullptr && *named != '\0') {
    if (!is_file(fs::path(named) / kMarker)) {
      refuse(std::string("there is no ") + kMarker + " in QSPEC_TORCH", named);
    }
    return named;
  }
  const std::vector<std::string> candidates = {installation.home + "/.qspec/site/torch",
                                               torch_path_file(installation)};
  for (const std::string& candidate : candidates) {
    if (!candidate.empty() && is_file(fs::path(candidate) / kMarker)) return candidate;
  }
  refuse("LibTorch is not installed, and checks on weights need it", candidates.front());
}

// OpenMP's threads spin between two parallel regions: for a millisecond on idle cores, for far
// longer in sum when others want the cores too. A short spin costs nothing that was measured.
void spare_the_cores() {
  setenv("GOMP_SPINCOUNT", "1000", /*overwrite=*/0);
}

// What maps in the background, where that was begun. Never destroyed: it may outlive main.
std::shared_future<void>& mapper() {
  static auto& instance = *new std::shared_future<void>;
  return instance;
}

// Mapped once and never unmapped: LibTorch leaves threads and callbacks behind.
void* torch_library(const Installation& installation) {
  static void* library = nullptr;
  if (library != nullptr) return library;
  const std::string own = own_library(installation, kOwnLibrary, kHint);
  const std::string folder = torch_folder(installation) + "/lib/";
  spare_the_cores();
  map_library(folder + "libc10.so", kHint);
  map_library(folder + "libtorch_cpu.so", kHint);
  library = map_library(own, kHint);
  return library;
}

void* torch_cuda_library(const Installation& installation) {
  if (dlopen(kDriver, RTLD_NOW | RTLD_LOCAL) == nullptr) {
    throw Error(ErrorKind::kDevice, "there is no NVIDIA driver on this machine")
        .at(kDriver)
        .hint(kCpuHint);
  }
  const std::string folder = torch_folder(installation);
  if (!is_file(fs::path(folder) / kCudaMarker)) {
    throw Error(ErrorKind::kDevice, "the LibTorch that is used here has no CUDA side")
        .at(folder)
        .hint("QSPEC_TORCH=DIR ./qspec setup takes another: the folder torch/ of a PyPI install");
  }
  void* library = torch_library(installation);
  map_library(folder + "/lib/libc10_cuda.so", kCpuHint);
  map_library(folder + "/" + kCudaMarker, kCpuHint);
  if (const auto kernels = find_own_library(installation, kKernels)) {
    map_library(*kernels, kCpuHint);
  }
  return library;
}

// Throws what it met.
void wait_for_mapper() {
  if (mapper().valid()) mapper().get();
}

int cuda(lua_State* L) {
  wait_for_mapper();
  return open_from(L, torch_cuda_library(Host::of(L).installation()), "luaopen_host_cuda");
}
int tensor(lua_State* L) {
  wait_for_mapper();
  return open_from(L, torch_library(Host::of(L).installation()), "luaopen_host_tensor");
}
int model(lua_State* L) {
  wait_for_mapper();
  return open_from(L, torch_library(Host::of(L).installation()), "luaopen_host_model");
}

}  // namespace

bool has_torch_cuda(const Installation& installation) {
  try {
    return is_file(fs::path(torch_folder(installation)) / kCudaMarker);
  } catch (const Error&) {
    return false;  // who needs LibTorch is told
  }
}

void begin_torch_cuda(const Installation& installation, int number, std::function<void()> before) {
  if (mapper().valid()) return;
  std::promise<void> mapped;
  mapper() = mapped.get_future().share();
  std::thread([installation, number, before = std::move(before),
               mapped = std::move(mapped)]() mutable {
    void* library = nullptr;
    try {
      before();
      const Timed timed("LibTorch mapped");
      library = torch_cuda_library(installation);
      mapped.set_value();
    } catch (...) {  // no Lua here; the openers throw it
      mapped.set_exception(std::current_exception());
    }
    using WarmUp = void (*)(int);
    if (library == nullptr) return;
    if (const auto warm_up = reinterpret_cast<WarmUp>(dlsym(library, kWarmUp))) warm_up(number);
  }).detach();
}

int open_torch_cuda(lua_State* L) {
  return guard<cuda>(L);
}
int open_torch_tensor(lua_State* L) {
  return guard<tensor>(L);
}
int open_torch_model(lua_State* L) {
  return guard<model>(L);
}

}  // namespace qspec::lua
