// The engine's quantizers against what bitsandbytes wrote on a GPU: the example model and, in
// tests/data, its other quantized forms.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "engine/tensor/bits.h"
#include "engine/tensor/codebook4.h"
#include "engine/tensor/codebook8.h"
#include "engine/tensor/packed.h"
#include "engine/tensor/rowwise8.h"
#include "engine/tensor/stored_tensor.h"
#include "tests/engine/tensor/rules.h"
#include "tests/engine/tensor/tensors.h"

namespace qspec {
namespace {

const std::string kExamples = QSPEC_SOURCE_DIR "/examples/models/";

const std::string kFixtures = QSPEC_SOURCE_DIR "/tests/data/";

// Calls `check` with the name of each quantized linear, its dense weight and the checkpoint.
void for_linears(
    const std::string& folder, const std::string& suffix,
    const std::function<void(const std::string&, const at::Tensor&, const Checkpoint&)>& check) {
  const auto dense = Checkpoint::open(kExamples + "bloom-tiny");
  const auto quantized = Checkpoint::open(folder);
  int linears = 0;
  for (const TensorEntry& entry : quantized->tensors()) {
    if (!entry.name.ends_with(suffix)) continue;
    const std::string module = entry.name.substr(0, entry.name.size() - suffix.size());
    check(module, read_tensor(*dense, module + ".weight"), *quantized);
    ++linears;
  }
  BOOST_TEST(linears == 16);
}

// The distance of x to the nearest of `thresholds` in units of the last place of that threshold.
float ulps_to_nearest(float x, const float* thresholds, size_t count) {
  float least = INFINITY;
  for (size_t i = 0; i < count; ++i) {
    const float ulp = std::nextafter(std::fabs(thresholds[i]), INFINITY) - std::fabs(thresholds[i]);
    least = std::min(least, std::fabs(x - thresholds[i]) / ulp);
  }
  return least;
}

int code_at(const at::Tensor& packed, int64_t i) {
  const int byte = packed.const_data_ptr<uint8_t>()[i / 2];
  return i % 2 == 0 ? byte >> 4 : byte & 15;
}

// How many thresholds lie below the magnitudes that a code of the rule stands for.
int position_of(int code, const CodeRule& rule) {
  const auto* end = rule.codes + 8;
  return static_cast<int>(std::find(rule.codes, end, static_cast<uint32_t>(code & 7)) - rule.codes);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bitsandbytes_tests)

BOOST_AUTO_TEST_CASE(nf4_codes_and_absmax_of_every_linear_are_equal) {
  for_linears(
      kExamples + "bloom-tiny-bnb-nf4", ".weight.absmax",
      [](const std::string& module, const at::Tensor& weight, const Checkpoint& stored) {
        const Quantized4 encoded = quantize_codebook4(weight, test::nf4_rule(), 64);
        BOOST_TEST(equal_bits(encoded.packed, read_tensor(stored, module + ".weight")), module);
        BOOST_TEST(equal_bits(encoded.absmax, read_tensor(stored, module + ".weight.absmax")),
                   module);
      });
}

BOOST_AUTO_TEST_CASE(stored_nf4_weights_lie_at_twenty_decibels) {
  for_linears(kExamples + "bloom-tiny-bnb-nf4", ".weight.absmax",
              [](const std::string& module, const at::Tensor& weight, const Checkpoint& stored) {
                const CodebookBlockwise packed({read_tensor(stored, module + ".weight"),
                                                read_tensor(stored, module + ".weight.quant_map"),
                                                read_tensor(stored, module + ".weight.absmax"), 64,
                                                weight.sizes().vec()});
                const double sqnr_db = packed.compare(weight).sqnr_db();
                BOOST_TEST(sqnr_db > 19);
                BOOST_TEST(sqnr_db < 22);
              });
}

BOOST_AUTO_TEST_CASE(nested_codes_absmax_and_codebook_of_every_linear_are_equal) {
  for_linears(kFixtures + "bloom-tiny-bnb-nf4dq", ".weight.absmax",
              [](const std::string& module, const at::Tensor& weight, const Checkpoint& stored) {
                const std::string name = module + ".weight.";
                const at::Tensor absmax = quantize_codebook4(weight, test::nf4_rule(), 64).absmax;
                const at::Tensor book = dynamic_codebook_tensor();
                const Quantized8 nested = quantize_codebook8(absmax - absmax.mean(), book, 256);
                BOOST_TEST(equal_bits(book, read_tensor(stored, name + "nested_quant_map")));
                BOOST_TEST(equal_bits(nested.codes, read_tensor(stored, name + "absmax")), module);
                BOOST_TEST(equal_bits(nested.absmax, read_tensor(stored, name + "nested_absmax")),
                           module);
              });
}

// The GPU's reciprocal is approximate, and weights in half hit twelfths of absmax exactly.
BOOST_AUTO_TEST_CASE(fp4_codes_differ_only_within_two_ulps_of_a_threshold_and_by_one_step) {
  const CodeRule rule = test::fp4_rule();
  int64_t elements = 0, different = 0;
  for_linears(
      kFixtures + "bloom-tiny-bnb-fp4", ".weight.absmax",
      [&](const std::string& module, const at::Tensor& weight, const Checkpoint& stored) {
        const Quantized4 encoded = quantize_codebook4(weight, rule, 64);
        const at::Tensor packed = read_tensor(stored, module + ".weight");
        BOOST_TEST(equal_bits(encoded.absmax, read_tensor(stored, module + ".weight.absmax")));
        const at::Tensor wide = weight.to(at::kFloat).contiguous();
        for (int64_t i = 0; i < wide.numel(); ++i) {
          const int got = code_at(encoded.packed, i), wanted = code_at(packed, i);
          if (got == wanted) continue;
          const float absmax = encoded.absmax.const_data_ptr<float>()[i / 64];
          const float x = std::fabs(wide.const_data_ptr<float>()[i] * (1 / absmax));
          BOOST_TEST(ulps_to_nearest(x, rule.thresholds, 7) <= 2);
          BOOST_TEST(std::abs(position_of(got, rule) - position_of(wanted, rule)) == 1);
          ++different;
        }
        elements += wide.numel();
      });
  BOOST_TEST(different * 20'000 <= elements, different << " of " << elements << " differ");
}

BOOST_AUTO_TEST_CASE(int8_codes_differ_only_within_two_ulps_of_a_middle_and_by_one) {
  int64_t elements = 0, different = 0;
  for_linears(kFixtures + "bloom-tiny-bnb-int8", ".SCB",
              [&](const std::string& module, const at::Tensor& weight, const Checkpoint& stored) {
                const Rowwise8 encoded = quantize_rowwise_int8(weight);
                const at::Tensor codes = read_tensor(stored, module + ".weight");
                BOOST_TEST(equal_bits(encoded.absmax, read_tensor(stored, module + ".SCB")));
                const at::Tensor wide = weight.to(at::kFloat).contiguous();
                for (int64_t i = 0; i < wide.numel(); ++i) {
                  const int got = encoded.codes.const_data_ptr<int8_t>()[i];
                  const int wanted = codes.const_data_ptr<int8_t>()[i];
                  if (got == wanted) continue;
                  const float absmax = encoded.absmax.const_data_ptr<float>()[i / weight.size(1)];
                  const float x = wide.const_data_ptr<float>()[i] * (127 * (1 / absmax));
                  const float middle = static_cast<float>(got + wanted) / 2;
                  BOOST_TEST(std::abs(got - wanted) == 1);
                  BOOST_TEST(ulps_to_nearest(x, &middle, 1) <= 2);
                  ++different;
                }
                elements += wide.numel();
              });
  BOOST_TEST(different * 20'000 <= elements, different << " of " << elements << " differ");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
