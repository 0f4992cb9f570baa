// 4-bit codes to numbers: those of the CPU, bit for bit.

#include "engine/kernels/dequantize4.h"
#include "tests/device/codes4.h"

namespace qspec::device_test {
namespace {

void check_case(Report& report, const Codes4& codes, Element element, size_t offset) {
  const std::vector<uint8_t> wanted = stored(codes.decoded(), element);
  const DeviceArray<uint8_t> to(wanted.size(), offset * cuda::bytes_of(element));
  cuda::dequantize4(codes.on_device(), element, to.data(), nullptr);
  const std::string name =
      std::string("decoding to ") + name_of(element) + " n=" + std::to_string(codes.count) +
      " block=" + std::to_string(codes.block_size) + " offset=" + std::to_string(offset);
  const std::vector<uint8_t> found = to.host();
  if (element == Element::kFloat32) {
    return report.equal(loaded(found, element), loaded(wanted, element), name);
  }
  const auto halves = [](const std::vector<uint8_t>& bytes) {
    const auto* begin = reinterpret_cast<const uint16_t*>(bytes.data());
    return std::vector<uint16_t>(begin, begin + bytes.size() / 2);
  };
  report.equal(halves(found), halves(wanted), element, name);
}

void time_case(Report& report, Element element, int64_t rows, int64_t columns) {
  const int64_t count = rows * columns;
  const DeviceBytes packed(static_cast<size_t>(count / 2));
  const DeviceArray<float> absmax(static_cast<size_t>(count / 64));
  const DeviceBytes to(static_cast<size_t>(count) * cuda::bytes_of(element));
  fill_random(packed.data(), static_cast<size_t>(count / 2), 3);
  fill_scales(absmax.data(), static_cast<size_t>(count / 64), 4);
  const cuda::Codes4OnDevice codes{packed.data(), absmax.data(), kNf4, count, 64};
  const double moved =
      static_cast<double>(count) * (0.5625 + static_cast<double>(cuda::bytes_of(element)));
  report.speed(std::string("dequantize nf4 to ") + name_of(element) + " " + std::to_string(rows) +
                   " x " + std::to_string(columns),
               moved, [&](int) { cuda::dequantize4(codes, element, to.data(), nullptr); });
}

}  // namespace

void dequantize4_part(Report& report) {
  for (const size_t block : {2, 4, 8, 16, 32, 64, 96, 128, 256, 4096}) {
    for (const size_t count : {1, 2, 7, 8, 9, 63, 64, 65, 4095, 70001}) {
      Codes4 codes(count, block, static_cast<uint32_t>(block + count));
      for (const Element element : kElements) check_case(report, codes, element, 0);
      codes.codebook = kFp4;
      check_case(report, codes, Element::kBfloat16, 0);
      check_case(report, codes, Element::kFloat16, 1);
    }
  }
  for (const Element element : {Element::kBfloat16, Element::kFloat16, Element::kFloat32}) {
    time_case(report, element, 65536, 8192);
  }
  time_case(report, Element::kBfloat16, 4096, 4096);
  time_case(report, Element::kBfloat16, 11008, 4096);
  time_case(report, Element::kBfloat16, 28672, 8192);
}

}  // namespace qspec::device_test
