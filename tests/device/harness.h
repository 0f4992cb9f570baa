#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "engine/kernels/device.h"

// Checks and timings of the kernels on a GPU, without LibTorch, LuaJIT or Boost, so that the
// program runs wherever a driver is. Each part checks one kernel against the CPU, then times it.
namespace qspec::device_test {

using cuda::Element;

// Prints one line a check and counts those that fail.
class Report {
 public:
  explicit Report(bool with_timings) : with_timings_(with_timings) {}

  void check(bool is_right, const std::string& name, const std::string& difference = "");

  // Bit for bit, but that a NaN equals any other.
  void equal(const std::vector<float>& found, const std::vector<float>& wanted,
             const std::string& name);
  void equal(const std::vector<uint8_t>& found, const std::vector<uint8_t>& wanted,
             const std::string& name);
  // 16-bit floats.
  void equal(const std::vector<uint16_t>& found, const std::vector<uint16_t>& wanted,
             Element element, const std::string& name);
  void close(double found, double wanted, double relative, const std::string& name);

  // Times `launch` and prints its speed as a share of that of a copy. `bytes` are those that have
  // to be moved. Turns count from 0, for launches that take another piece of data each time.
  void speed(const std::string& name, double bytes, const std::function<void(int turn)>& launch);

  int failures() const { return failures_; }
  bool with_timings() const { return with_timings_; }
  void summarize(const char* part) const;

 private:
  bool with_timings_;
  int failures_ = 0;
  int passed_ = 0;
};

// Bytes read and written in a second by a device to device copy of 1 GiB, measured once.
double copy_bandwidth();

// Seconds of one launch: the median of several groups.
double seconds_of(const std::function<void(int turn)>& launch);

// Device memory between two guards, which it checks when it is read back.
class DeviceBytes {
 public:
  explicit DeviceBytes(size_t bytes, size_t offset = 0);
  DeviceBytes(const DeviceBytes&) = delete;
  DeviceBytes& operator=(const DeviceBytes&) = delete;
  ~DeviceBytes();

  uint8_t* data() const { return all_ + kGuard + offset_; }
  void write(const void* from);
  // Throws Error when something was written outside.
  void read(void* to) const;

 private:
  static constexpr size_t kGuard = 1024;

  size_t bytes_;
  size_t offset_;
  uint8_t* all_ = nullptr;
};

// An array of T; `offset` moves its begin off its alignment, in elements.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(size_t count, size_t offset = 0)
      : count_(count), bytes_(count * sizeof(T), offset * sizeof(T)) {}
  explicit DeviceArray(const std::vector<T>& values, size_t offset = 0)
      : DeviceArray(values.size(), offset) {
    bytes_.write(values.data());
  }

  T* data() const { return reinterpret_cast<T*>(bytes_.data()); }
  std::vector<T> host() const {
    std::vector<T> values(count_);
    bytes_.read(values.data());
    return values;
  }

 private:
  size_t count_;
  DeviceBytes bytes_;
};

// `count` floats as weights have them, every now and then one that no weight should have.
std::vector<float> normal_floats(size_t count, uint32_t seed);
std::vector<float> odd_floats(size_t count, uint32_t seed);
std::vector<uint8_t> random_bytes(size_t count, uint32_t seed);
// Random bits for timings, made on the device. As halves they are finite and below 2.
void fill_random(void* to, size_t bytes, uint32_t seed);
// Positive floats for timings, made on the device.
void fill_scales(float* to, size_t count, uint32_t seed);

// Values as they are stored, and as they are then.
std::vector<uint8_t> stored(const std::vector<float>& values, Element element);
std::vector<float> loaded(const std::vector<uint8_t>& bytes, Element element);
const char* name_of(Element element);
inline constexpr Element kElements[] = {Element::kFloat32, Element::kFloat16, Element::kBfloat16};

struct Part {
  const char* name;
  void (*run)(Report& report);
};

void quantize4_part(Report& report);
void dequantize4_part(Report& report);
void compare_part(Report& report);
void gemv4_part(Report& report);
void gemv8_part(Report& report);
void coded_part(Report& report);
void llm_int8_part(Report& report);
void rowwise8_part(Report& report);
void ggml_part(Report& report);
void cross_entropy_part(Report& report);
void step_part(Report& report);

}  // namespace qspec::device_test
