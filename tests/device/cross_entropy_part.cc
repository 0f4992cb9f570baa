// Scores of tokens, against a plain softmax in double.

#include "engine/kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "tests/device/harness.h"

namespace qspec::device_test {
namespace {

using cuda::TokenScores;

double log_sum(const float* x, size_t count) {
  double max = -HUGE_VAL, sum = 0;
  for (size_t i = 0; i < count; ++i) max = std::max(max, double{x[i]});
  for (size_t i = 0; i < count; ++i) sum += std::exp(x[i] - max);
  return max + std::log(sum);
}

TokenScores plainly(const float* model, const float* base, size_t count, int64_t target) {
  const double model_sum = log_sum(model, count), base_sum = log_sum(base, count);
  TokenScores scores{};
  scores.nll = model_sum - model[target];
  scores.baseline_nll = base_sum - base[target];
  for (size_t i = 0; i < count; ++i) {
    const double p = std::exp(base[i] - base_sum);
    if (p > 0) scores.kl += p * ((base[i] - base_sum) - (model[i] - model_sum));
  }
  scores.top = static_cast<int32_t>(std::max_element(model, model + count) - model);
  scores.baseline_top = static_cast<int32_t>(std::max_element(base, base + count) - base);
  return scores;
}

std::vector<float> logits_of(size_t count, uint32_t seed, float spread) {
  std::vector<float> values = normal_floats(count, seed);
  for (float& value : values) value *= spread;
  return values;
}

void check_case(Report& report, int64_t rows, int64_t vocabulary, Element element, bool masked) {
  const auto count = static_cast<size_t>(rows * vocabulary);
  std::vector<float> base = logits_of(count, 1, 100), model = base;
  const std::vector<float> noise = logits_of(count, 2, 4);
  for (size_t i = 0; i < count; ++i) model[i] += noise[i];
  if (masked) {  // as logits of tokens that are not allowed
    for (size_t i = 0; i < count; i += 3) base[i] = model[i] = -INFINITY;
  }
  const std::vector<uint8_t> model_bytes = stored(model, element),
                             base_bytes = stored(base, element);
  model = loaded(model_bytes, element);
  base = loaded(base_bytes, element);
  std::vector<int64_t> targets;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t target = row * 7919 % vocabulary;
    targets.push_back(masked && (row * vocabulary + target) % 3 == 0 ? (target + 1) % vocabulary
                                                                     : target);
  }
  const DeviceArray<uint8_t> device_model(model_bytes), device_base(base_bytes);
  const DeviceArray<int64_t> device_targets(targets);
  const DeviceArray<TokenScores> device_scores(targets.size());
  cuda::score_tokens(device_model.data(), device_base.data(), element, rows, vocabulary,
                     device_targets.data(), device_scores.data(), nullptr);
  const std::vector<TokenScores> found = device_scores.host();
  for (size_t row = 0; row < found.size(); ++row) {
    const size_t at = row * static_cast<size_t>(vocabulary);
    const TokenScores wanted =
        plainly(model.data() + at, base.data() + at, static_cast<size_t>(vocabulary), targets[row]);
    const std::string name = std::string(name_of(element)) + " " + std::to_string(rows) + " x " +
                             std::to_string(vocabulary) + " row " + std::to_string(row) +
                             (masked ? " masked" : "");
    const auto near = [&](double a, double b, const char* what) {
      // Exponentials are fp32: their sums are right to 1e-6.
      report.check(a == b || std::fabs(a - b) <= 2e-6 * (1 + std::fabs(b)), what + name,
                   "found " + std::to_string(a) + ", wanted " + std::to_string(b));
    };
    near(found[row].nll, wanted.nll, "nll of ");
    near(found[row].baseline_nll, wanted.baseline_nll, "baseline nll of ");
    near(found[row].kl, wanted.kl, "KL of ");
    report.check(found[row].top == wanted.top && found[row].baseline_top == wanted.baseline_top,
                 "largest logit of " + name,
                 std::to_string(found[row].top) + ", wanted " + std::to_string(wanted.top));
  }
}

void check_odd_rows(Report& report) {
  const std::vector<float> logits = {0, 1, NAN, 2, INFINITY, 0, 1, 2, 5, 5, 5, 5};
  const DeviceArray<float> model(logits);
  const DeviceArray<int64_t> targets(std::vector<int64_t>{1, 1, 9});
  const DeviceArray<TokenScores> scores(3);
  cuda::score_tokens(model.data(), nullptr, Element::kFloat32, 3, 4, targets.data(), scores.data(),
                     nullptr);
  const std::vector<TokenScores> found = scores.host();
  report.check(std::isnan(found[0].nll), "a NaN among the logits", std::to_string(found[0].nll));
  report.check(found[0].top == 3, "the top beside a NaN", std::to_string(found[0].top));
  report.check(found[1].top == 0, "an infinite logit", std::to_string(found[1].top));
  report.check(std::isnan(found[2].nll) && found[2].top == 0,
               "a target outside of the vocabulary, the first of equal logits",
               std::to_string(found[2].top));
}

void time_case(Report& report, int64_t rows, int64_t vocabulary, Element element) {
  const auto bytes = static_cast<size_t>(rows * vocabulary) * cuda::bytes_of(element);
  const DeviceBytes model(bytes), base(bytes);
  const DeviceArray<int64_t> targets(std::vector<int64_t>(static_cast<size_t>(rows), 3));
  const DeviceArray<TokenScores> scores(static_cast<size_t>(rows));
  fill_random(model.data(), bytes, 1);
  fill_random(base.data(), bytes, 2);
  report.speed("scores of two models, " + std::to_string(rows) + " x " +
                   std::to_string(vocabulary) + " " + name_of(element),
               2.0 * static_cast<double>(bytes), [&](int) {
                 cuda::score_tokens(model.data(), base.data(), element, rows, vocabulary,
                                    targets.data(), scores.data(), nullptr);
               });
}

}  // namespace

void cross_entropy_part(Report& report) {
  for (const Element element : kElements) {
    for (const int64_t vocabulary : {1, 2, 31, 511, 513, 50257, 128256}) {
      check_case(report, 5, vocabulary, element, false);
      if (vocabulary > 30) check_case(report, 5, vocabulary, element, true);
    }
    check_case(report, 1500, 97, element, false);
  }
  check_odd_rows(report);
  time_case(report, 2048, 128256, Element::kBfloat16);
  time_case(report, 2048, 32000, Element::kFloat32);
  time_case(report, 8, 32000, Element::kFloat32);
}

}  // namespace qspec::device_test
