// Decoded values against a baseline: the sums of a plain loop in double.

#include "engine/kernels/compare.h"

#include <cmath>

#include "tests/device/codes4.h"

namespace qspec::device_test {
namespace {

using cuda::ComparisonSums;

struct Inputs {
  std::vector<float> decoded;
  std::vector<float> baseline;
  size_t block_size;
};

struct BlockErrors {
  double squares = 0, errors = 0;
  double ratio() const { return squares == 0 && errors > 0 ? HUGE_VAL : errors / squares; }
};

struct Wanted {
  ComparisonSums sums{};
  std::vector<BlockErrors> blocks;
};

Wanted plainly(const Inputs& in) {
  Wanted wanted;
  wanted.sums.max_error_index = wanted.sums.worst_block = -1;
  wanted.blocks.resize((in.decoded.size() + in.block_size - 1) / in.block_size);
  for (size_t i = 0; i < in.decoded.size(); ++i) {
    const double r = in.baseline[i], q = in.decoded[i], e = q - r;
    wanted.sums.nonfinite_baseline += std::isfinite(r) ? 0 : 1;
    wanted.sums.nonfinite_decoded += std::isfinite(q) ? 0 : 1;
    if (!std::isfinite(r) || !std::isfinite(q)) continue;
    wanted.blocks[i / in.block_size].squares += r * r;
    wanted.blocks[i / in.block_size].errors += e * e;
    wanted.sums.baseline_squares += r * r;
    wanted.sums.error_squares += e * e;
    wanted.sums.cross += r * e;
    wanted.sums.max_abs_error = std::fmax(wanted.sums.max_abs_error, std::fabs(e));
  }
  return wanted;
}

void check_sums(Report& report, const ComparisonSums& found, const Inputs& in,
                const std::string& name) {
  const Wanted wanted = plainly(in);
  const ComparisonSums& w = wanted.sums;
  const auto count = [&](int64_t a, int64_t b, const char* what) {
    report.check(a == b, std::string(what) + " of " + name,
                 "found " + std::to_string(a) + ", wanted " + std::to_string(b));
  };
  count(found.nonfinite_decoded, w.nonfinite_decoded, "decoded values that are not finite");
  count(found.nonfinite_baseline, w.nonfinite_baseline, "baseline values that are not finite");
  report.close(found.baseline_squares, w.baseline_squares, 1e-6, "baseline squares of " + name);
  report.close(found.error_squares, w.error_squares, 1e-6, "error squares of " + name);
  report.close(found.max_abs_error, w.max_abs_error, 1e-6, "largest error of " + name);
  // Products of both signs: the bound is on what they could add up to.
  const double scale = std::sqrt(w.baseline_squares) * std::sqrt(w.error_squares);
  report.check(std::fabs(found.cross - w.cross) <= 1e-6 * scale, "cross of " + name,
               std::to_string(found.cross) + ", wanted " + std::to_string(w.cross));
  if (w.max_abs_error == 0) {
    count(found.max_error_index, -1, "index of no error");
    return count(found.worst_block, -1, "worst block of none");
  }
  const auto index = static_cast<size_t>(found.max_error_index);
  report.check(
      index < in.decoded.size() &&
          std::fabs(double{in.decoded[index]} - in.baseline[index]) >= (1 - 1e-6) * w.max_abs_error,
      "index of the largest error of " + name, std::to_string(found.max_error_index));
  double worst = 0;
  for (const BlockErrors& block : wanted.blocks) {
    if (block.errors > 0) worst = std::fmax(worst, block.ratio());
  }
  const auto block = static_cast<size_t>(found.worst_block);
  report.check(block < wanted.blocks.size() && wanted.blocks[block].ratio() >= (1 - 1e-5) * worst,
               "worst block of " + name, std::to_string(found.worst_block));
  if (block >= wanted.blocks.size()) return;
  report.close(found.worst_error_squares, wanted.blocks[block].errors, 1e-5,
               "errors of the worst block of " + name);
}

ComparisonSums result_of(const std::function<void(void* workspace, ComparisonSums*)>& compare) {
  const DeviceArray<uint8_t> workspace(cuda::compare_workspace_bytes());
  const DeviceArray<ComparisonSums> result(1);
  compare(workspace.data(), result.data());
  (void)workspace.host();  // its guards
  return result.host()[0];
}

void check_codes(Report& report, const Codes4& codes, Element element, bool odd_values,
                 size_t offset) {
  const auto values = odd_values ? odd_floats(codes.count, 11) : normal_floats(codes.count, 12);
  const std::vector<uint8_t> bytes = stored(values, element);
  const DeviceArray<uint8_t> baseline(bytes, offset * cuda::bytes_of(element));
  const ComparisonSums found = result_of([&](void* workspace, ComparisonSums* result) {
    cuda::compare4(codes.on_device(), baseline.data(), element, workspace, result, nullptr);
  });
  const std::string name = std::string("codes against ") + name_of(element) +
                           " n=" + std::to_string(codes.count) +
                           " block=" + std::to_string(codes.block_size) +
                           (odd_values ? " odd values" : "") + " offset=" + std::to_string(offset);
  check_sums(report, found, {codes.decoded(), loaded(bytes, element), codes.block_size}, name);
  int64_t zeros = 0, nonfinite = 0, histogram[16] = {};
  for (const float scale : codes.absmax) {
    zeros += scale == 0 ? 1 : 0;
    nonfinite += std::isfinite(scale) ? 0 : 1;
  }
  for (size_t i = 0; i < codes.count; ++i) {
    ++histogram[i % 2 == 0 ? codes.packed[i / 2] >> 4 : codes.packed[i / 2] & 15];
  }
  report.check(
      found.zero_scales == zeros && found.nonfinite_scales == nonfinite, "scales of " + name,
      std::to_string(found.zero_scales) + " zero and " + std::to_string(found.nonfinite_scales) +
          " not finite, wanted " + std::to_string(zeros) + " and " + std::to_string(nonfinite));
  for (int code = 0; code < 16; ++code) {
    report.check(
        found.histogram[code] == histogram[code], "code " + std::to_string(code) + " of " + name,
        std::to_string(found.histogram[code]) + ", wanted " + std::to_string(histogram[code]));
  }
}

void check_values(Report& report, size_t count, size_t block, Element decoded_element,
                  Element element, bool odd_values) {
  const auto near = [&](std::vector<float> values) {
    for (size_t i = 0; i < values.size(); ++i) values[i] *= i % 3 == 0 ? 1.0f : 1.01f;
    return values;
  };
  const auto values = odd_values ? odd_floats(count, 21) : normal_floats(count, 22);
  const std::vector<uint8_t> r = stored(values, element), q = stored(near(values), decoded_element);
  const DeviceArray<uint8_t> baseline(r), decoded(q);
  const ComparisonSums found = result_of([&](void* workspace, ComparisonSums* result) {
    cuda::compare_values(decoded.data(), decoded_element, baseline.data(), element,
                         static_cast<int64_t>(count), static_cast<int64_t>(block), workspace,
                         result, nullptr);
  });
  check_sums(report, found, {loaded(q, decoded_element), loaded(r, element), block},
             std::string(name_of(decoded_element)) + " against " + name_of(element) +
                 " n=" + std::to_string(count) + " block=" + std::to_string(block) +
                 (odd_values ? " odd values" : ""));
}

void check_repeats(Report& report) {
  const Codes4 codes(3000001, 64, 5);
  const DeviceArray<uint8_t> baseline(stored(normal_floats(codes.count, 6), Element::kBfloat16));
  const auto once = [&] {
    return result_of([&](void* workspace, ComparisonSums* result) {
      cuda::compare4(codes.on_device(), baseline.data(), Element::kBfloat16, workspace, result,
                     nullptr);
    });
  };
  const ComparisonSums first = once();
  for (int i = 0; i < 5; ++i) {
    const ComparisonSums again = once();
    report.check(std::memcmp(&first, &again, sizeof first) == 0, "a comparison repeats its bits",
                 "run " + std::to_string(i + 2) + " differs");
  }
}

void time_codes(Report& report, int64_t rows, int64_t columns) {
  const int64_t count = rows * columns;
  const DeviceBytes packed(static_cast<size_t>(count / 2)),
      baseline(static_cast<size_t>(2 * count));
  const DeviceArray<float> absmax(static_cast<size_t>(count / 64));
  fill_random(packed.data(), static_cast<size_t>(count / 2), 3);
  fill_random(baseline.data(), static_cast<size_t>(2 * count), 3);
  fill_scales(absmax.data(), static_cast<size_t>(count / 64), 4);
  const DeviceBytes workspace(cuda::compare_workspace_bytes());
  const DeviceArray<ComparisonSums> result(1);
  const cuda::Codes4OnDevice codes{packed.data(), absmax.data(), kNf4, count, 64};
  const std::string shape = std::to_string(rows) + " x " + std::to_string(columns);
  report.speed("statistics of nf4 against bfloat16 " + shape, 2.5625 * static_cast<double>(count),
               [&](int) {
                 cuda::compare4(codes, baseline.data(), Element::kBfloat16, workspace.data(),
                                result.data(), nullptr);
               });
}

}  // namespace

void compare_part(Report& report) {
  for (const size_t block : {2, 16, 32, 64, 96, 128, 512, 1024, 4096}) {
    for (const size_t count : {1, 2, 15, 16, 17, 63, 64, 65, 513, 4095, 70001}) {
      const Codes4 codes(count, block, static_cast<uint32_t>(block * 3 + count));
      for (const Element element : kElements) {
        check_codes(report, codes, element, true, 0);
        check_codes(report, codes, element, false, 0);
      }
      check_codes(report, codes, Element::kBfloat16, false, 1);
    }
  }
  for (const Element decoded : kElements) {
    for (const Element element : kElements) {
      check_values(report, 70001, 64, decoded, element, true);
      check_values(report, 70001, 100, decoded, element, false);
    }
  }
  check_values(report, 3000001, 64, Element::kFloat32, Element::kBfloat16, false);
  check_repeats(report);
  time_codes(report, 4096, 4096);
  time_codes(report, 11008, 4096);
  time_codes(report, 28672, 8192);
  time_codes(report, 65536, 8192);
}

}  // namespace qspec::device_test
