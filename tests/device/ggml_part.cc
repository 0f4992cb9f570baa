// ggml's blocks to numbers: those of the CPU, bit for bit.

#include "engine/kernels/ggml.h"

#include "engine/tensor/ggml_decoders.h"
#include "tests/device/harness.h"

namespace qspec::device_test {
namespace {

void check_case(Report& report, Dtype dtype, size_t count) {
  const DtypeInfo& type = info(dtype);
  const std::vector<uint8_t> bytes = random_bytes(count * type.block_bytes, 5);
  std::vector<float> decoded(count * type.block_elements);
  ggml_decoder(dtype, Simd::kPlain)(bytes.data(), count, decoded.data());
  const DeviceArray<uint8_t> blocks(bytes);
  for (const Element element : kElements) {
    const std::vector<uint8_t> wanted = stored(decoded, element);
    const DeviceArray<uint8_t> to(wanted.size());
    cuda::dequantize_ggml(dtype, blocks.data(), static_cast<int64_t>(count), element, to.data(),
                          nullptr);
    report.equal(loaded(to.host(), element), loaded(wanted, element),
                 std::string(type.torch_name) + " " + std::to_string(count) + " blocks to " +
                     name_of(element));
  }
}

void time_case(Report& report, Dtype dtype) {
  const DtypeInfo& type = info(dtype);
  const size_t count = (size_t{1} << 28) / type.block_elements;
  const size_t elements = count * type.block_elements;
  const DeviceBytes blocks(count * type.block_bytes), to(2 * elements);
  fill_random(blocks.data(), count * type.block_bytes, 2);
  report.speed("decode " + std::string(type.torch_name) + " to bfloat16, 268 M elements",
               static_cast<double>(count * type.block_bytes + 2 * elements), [&](int) {
                 cuda::dequantize_ggml(dtype, blocks.data(), static_cast<int64_t>(count),
                                       Element::kBfloat16, to.data(), nullptr);
               });
}

}  // namespace

void ggml_part(Report& report) {
  for (size_t i = 0; i < kDtypeCount; ++i) {
    const auto dtype = static_cast<Dtype>(i);
    if (!cuda::decodes_ggml(dtype)) continue;
    check_case(report, dtype, 1);
    check_case(report, dtype, 3001);
    time_case(report, dtype);
  }
}

}  // namespace qspec::device_test
