#include "tests/device/harness.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/core/error.h"
#include "engine/kernels/launch.cuh"
#include "engine/tensor/kernels.h"

namespace qspec::device_test {
namespace {

constexpr uint8_t kGuardByte = 0xa5;
constexpr int kGroups = 7;
constexpr double kGroupSeconds = 0.004;

__host__ __device__ uint32_t mixed(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ x >> 16;
}

// Both halves of a word keep exponents below that of 2, whether they are taken for float16 or
// bfloat16.
__global__ void random_kernel(uint32_t* to, size_t words, uint32_t seed) {
  for (size_t i = size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < words;
       i += size_t{gridDim.x} * blockDim.x) {
    to[i] = mixed(static_cast<uint32_t>(i) * 2654435761u + seed) & 0xbfffbfffu;
  }
}

__global__ void scales_kernel(float* to, size_t count, uint32_t seed) {
  for (size_t i = size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count;
       i += size_t{gridDim.x} * blockDim.x) {
    to[i] = 0.01f + 1e-12f * static_cast<float>(mixed(static_cast<uint32_t>(i) + seed));
  }
}

double group_seconds(const std::function<void(int turn)>& launch, int launches, int& turn) {
  cudaEvent_t begin, end;
  cuda::check(cudaEventCreate(&begin), "making an event");
  cuda::check(cudaEventCreate(&end), "making an event");
  cuda::check(cudaEventRecord(begin), "recording an event");
  for (int i = 0; i < launches; ++i) launch(turn++);
  cuda::check(cudaEventRecord(end), "recording an event");
  cuda::check(cudaEventSynchronize(end), "waiting for a kernel");
  float milliseconds = 0;
  cuda::check(cudaEventElapsedTime(&milliseconds, begin, end), "reading an event");
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  return milliseconds * 1e-3;
}

template <class T, class Same, class Show>
std::string first_difference(const std::vector<T>& found, const std::vector<T>& wanted,
                             const Same& same, const Show& show) {
  if (found.size() != wanted.size()) return "sizes differ";
  size_t differences = 0, first = 0;
  for (size_t i = found.size(); i-- > 0;) {
    if (same(found[i], wanted[i])) continue;
    ++differences;
    first = i;
  }
  if (differences == 0) return "";
  return std::to_string(differences) + " of " + std::to_string(found.size()) + " differ, first #" +
         std::to_string(first) + ": found " + show(found[first]) + ", wanted " +
         show(wanted[first]);
}

std::string shown(float x) {
  char text[64];
  std::snprintf(text, sizeof text, "%.9g (%a)", x, x);
  return text;
}

}  // namespace

void Report::check(bool is_right, const std::string& name, const std::string& difference) {
  if (is_right) {
    ++passed_;
    return;
  }
  ++failures_;
  if (failures_ <= 40) std::printf("  FAILED %s: %s\n", name.c_str(), difference.c_str());
}

void Report::equal(const std::vector<float>& found, const std::vector<float>& wanted,
                   const std::string& name) {
  const auto same = [](float a, float b) {
    return std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b));
  };
  const std::string difference = first_difference(found, wanted, same, shown);
  check(difference.empty(), name, difference);
}

void Report::equal(const std::vector<uint8_t>& found, const std::vector<uint8_t>& wanted,
                   const std::string& name) {
  const auto same = [](uint8_t a, uint8_t b) { return a == b; };
  const auto show = [](uint8_t x) { return std::to_string(x); };
  const std::string difference = first_difference(found, wanted, same, show);
  check(difference.empty(), name, difference);
}

void Report::equal(const std::vector<uint16_t>& found, const std::vector<uint16_t>& wanted,
                   Element element, const std::string& name) {
  const uint16_t infinity = element == Element::kFloat16 ? 0x7c00 : 0x7f80;
  const auto same = [infinity](uint16_t a, uint16_t b) {
    return a == b || ((a & 0x7fff) > infinity && (b & 0x7fff) > infinity);
  };
  const auto show = [](uint16_t x) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%04x", x);
    return std::string(text);
  };
  const std::string difference = first_difference(found, wanted, same, show);
  check(difference.empty(), name, difference);
}

void Report::close(double found, double wanted, double relative, const std::string& name) {
  const bool both_nan = std::isnan(found) && std::isnan(wanted);
  const bool is_close =
      both_nan || found == wanted || std::fabs(found - wanted) <= relative * std::fabs(wanted);
  char text[128];
  std::snprintf(text, sizeof text, "found %.12g, wanted %.12g", found, wanted);
  check(is_close, name, text);
}

void Report::speed(const std::string& name, double bytes,
                   const std::function<void(int turn)>& launch) {
  if (!with_timings_) return;
  const double seconds = seconds_of(launch);
  std::printf("  %-64s %9.2f us %7.1f GB/s  %.3f of copy\n", name.c_str(), seconds * 1e6,
              bytes / seconds * 1e-9, bytes / seconds / copy_bandwidth());
  std::fflush(stdout);
}

void Report::summarize(const char* part) const {
  std::printf("%s: %d checks passed, %d failed\n", part, passed_, failures_);
  std::fflush(stdout);
}

double seconds_of(const std::function<void(int turn)>& launch) {
  int turn = 0;
  group_seconds(launch, 3, turn);
  const double once = group_seconds(launch, 4, turn) / 4;
  const int launches = static_cast<int>(std::clamp(kGroupSeconds / once, 4.0, 400.0));
  std::vector<double> groups;
  for (int i = 0; i < kGroups; ++i) {
    groups.push_back(group_seconds(launch, launches, turn) / launches);
  }
  std::sort(groups.begin(), groups.end());
  return groups[kGroups / 2];
}

double copy_bandwidth() {
  static const double kMeasured = [] {
    constexpr size_t kBytes = size_t{1} << 30;
    const DeviceBytes from(kBytes), to(kBytes);
    const double seconds = seconds_of([&](int) {
      cuda::check(cudaMemcpyAsync(to.data(), from.data(), kBytes, cudaMemcpyDeviceToDevice),
                  "copying");
    });
    std::printf("  copy of 1 GiB: %.1f GB/s read and written\n", 2e-9 * kBytes / seconds);
    return 2.0 * kBytes / seconds;
  }();
  return kMeasured;
}

DeviceBytes::DeviceBytes(size_t bytes, size_t offset) : bytes_(bytes), offset_(offset) {
  cuda::check(cudaMalloc(&all_, bytes + offset + 2 * kGuard), "reserving device memory");
  cuda::check(cudaMemset(all_, kGuardByte, bytes + offset + 2 * kGuard), "filling a guard");
}

DeviceBytes::~DeviceBytes() {
  cudaFree(all_);
}

void DeviceBytes::write(const void* from) {
  cuda::check(cudaMemcpy(data(), from, bytes_, cudaMemcpyHostToDevice), "copying to the device");
}

void DeviceBytes::read(void* to) const {
  std::vector<uint8_t> all(bytes_ + offset_ + 2 * kGuard);
  cuda::check(cudaMemcpy(all.data(), all_, all.size(), cudaMemcpyDeviceToHost),
              "copying from the device");
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(kGuard + offset_);
  const auto end = begin + static_cast<std::ptrdiff_t>(bytes_);
  const auto is_guard = [](uint8_t byte) { return byte == kGuardByte; };
  if (!std::all_of(all.begin(), begin, is_guard) || !std::all_of(end, all.end(), is_guard)) {
    throw Error(ErrorKind::kInternal, "a kernel wrote outside of its result");
  }
  std::copy(begin, end, static_cast<uint8_t*>(to));
}

std::vector<float> normal_floats(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.03f);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

std::vector<float> odd_floats(size_t count, uint32_t seed) {
  using Limits = std::numeric_limits<float>;
  const float odd[] = {0.0f,
                       -0.0f,
                       Limits::infinity(),
                       -Limits::infinity(),
                       Limits::quiet_NaN(),
                       Limits::denorm_min(),
                       -1e-40f,
                       Limits::max(),
                       Limits::lowest(),
                       1e-30f,
                       -3e-20f,
                       65504.0f,
                       6e-8f,
                       1e20f};
  std::vector<float> values = normal_floats(count, seed);
  std::mt19937 random(seed + 1);
  for (float& value : values) {
    if (random() % 37 == 0) value = odd[random() % std::size(odd)];
  }
  return values;
}

std::vector<uint8_t> random_bytes(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() >> 11);
  return bytes;
}

void fill_random(void* to, size_t bytes, uint32_t seed) {
  random_kernel<<<1024, 256>>>(static_cast<uint32_t*>(to), bytes / 4, seed);
  cuda::check(cudaGetLastError(), "filling with random bits");
}

void fill_scales(float* to, size_t count, uint32_t seed) {
  scales_kernel<<<1024, 256>>>(to, count, seed);
  cuda::check(cudaGetLastError(), "filling with scales");
}

std::vector<uint8_t> stored(const std::vector<float>& values, Element element) {
  std::vector<uint8_t> bytes(values.size() * cuda::bytes_of(element));
  auto* halves = reinterpret_cast<uint16_t*>(bytes.data());
  if (element == Element::kFloat32) std::memcpy(bytes.data(), values.data(), bytes.size());
  if (element == Element::kFloat16) {
    kernels().float_to_half(values.data(), values.size(), halves);
  }
  if (element == Element::kBfloat16) {
    kernels().float_to_bfloat16(values.data(), values.size(), halves);
  }
  return bytes;
}

std::vector<float> loaded(const std::vector<uint8_t>& bytes, Element element) {
  std::vector<float> values(bytes.size() / cuda::bytes_of(element));
  const auto* halves = reinterpret_cast<const uint16_t*>(bytes.data());
  if (element == Element::kFloat32) std::memcpy(values.data(), bytes.data(), bytes.size());
  if (element == Element::kFloat16) {
    kernels().half_to_float(halves, values.size(), values.data());
  }
  if (element == Element::kBfloat16) {
    kernels().bfloat16_to_float(halves, values.size(), values.data());
  }
  return values;
}

const char* name_of(Element element) {
  return element == Element::kFloat32   ? "float32"
         : element == Element::kFloat16 ? "float16"
                                        : "bfloat16";
}

}  // namespace qspec::device_test
