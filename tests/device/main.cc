// usage: kernels_on_gpu [--list | --checks-only] [PART...]
//
// Checks the kernels of engine/kernels against the CPU and times them; all parts, or those named.
// Exit code 0 when all is right, 1 when not, 3 when there is no GPU to run on.

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "tests/device/harness.h"

namespace qspec::device_test {
namespace {

constexpr Part kParts[] = {
    {"quantize4", quantize4_part}, {"dequantize4", dequantize4_part},
    {"compare", compare_part},     {"gemv4", gemv4_part},
    {"gemv8", gemv8_part},         {"coded", coded_part},
    {"llm_int8", llm_int8_part},   {"rowwise8", rowwise8_part},
    {"ggml", ggml_part},           {"cross_entropy", cross_entropy_part},
    {"step", step_part},
};

constexpr const char* kChecksOnly = "--checks-only";

struct Choice {
  Choice(int argc, char** argv) : words(argv + 1, argv + argc) {
    with_timings = std::erase(words, kChecksOnly) == 0;
  }
  bool has(const Part& part) const {
    return words.empty() || std::find(words.begin(), words.end(), part.name) != words.end();
  }

  std::vector<std::string> words;
  bool with_timings = true;
};

bool run(const Part& part, bool with_timings) {
  Report report(with_timings);
  std::printf("%s\n", part.name);
  std::fflush(stdout);
  try {
    part.run(report);
  } catch (const Error& error) {
    report.check(false, part.name, error.message());
  }
  report.summarize(part.name);
  return report.failures() == 0;
}

bool describe_device() {
  cudaDeviceProp device;
  if (const cudaError_t status = cudaGetDeviceProperties(&device, 0); status != cudaSuccess) {
    std::printf("no GPU: %s\n", cudaGetErrorString(status));
    return false;
  }
  int driver = 0, runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  std::printf("%s, sm_%d%d, %d multiprocessors, %.0f GB, driver %d, runtime %d\n", device.name,
              device.major, device.minor, device.multiProcessorCount,
              static_cast<double>(device.totalGlobalMem) * 1e-9, driver, runtime);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    for (const Part& part : kParts) std::printf("%s\n", part.name);
    return 0;
  }
  if (!describe_device()) return 3;
  bool all_right = true;
  const Choice choice(argc, argv);
  for (const Part& part : kParts) {
    if (choice.has(part)) all_right = run(part, choice.with_timings) && all_right;
  }
  return all_right ? 0 : 1;
}

}  // namespace qspec::device_test

int main(int argc, char** argv) {
  return qspec::device_test::main(argc, argv);
}
