// The launches of a decoding step against plain loops.

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/kernels/step/table.h"
#include "tests/device/codes4.h"
#include "tests/device/step_speed.h"
#include "tests/engine/model/plain_step.h"

namespace qspec::device_test {
namespace {

using cuda::Stream;

// The same bytes on both sides.
class Twin {
 public:
  explicit Twin(std::vector<uint8_t> bytes) : host_(std::move(bytes)), device_(host_) {}
  Twin(const std::vector<float>& values, Element element) : Twin(stored(values, element)) {}
  template <class T>
  static Twin of(const std::vector<T>& values) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
    return Twin(std::vector<uint8_t>(bytes, bytes + values.size() * sizeof(T)));
  }

  void* on(bool device) { return device ? static_cast<void*>(device_.data()) : host_.data(); }
  std::vector<uint8_t> found() const { return device_.host(); }
  const std::vector<uint8_t>& wanted() const { return host_; }

 private:
  std::vector<uint8_t> host_;
  DeviceArray<uint8_t> device_;
};

// Of hidden states and of heads: near 1.
Twin normal(size_t count, Element element, uint32_t seed) {
  std::vector<float> values = normal_floats(count, seed);
  for (float& value : values) value *= 30;
  return {values, element};
}
Twin zeros(size_t count, Element element) {
  return {std::vector<float>(count), element};
}

// Of the largest. Half precision: sums in another order may round to a neighbour, 2^-8 of a
// bfloat16 away.
double bound_of(Element element) {
  return element == Element::kFloat32 ? 4e-6 : element == Element::kFloat16 ? 0x1p-9 : 0x1p-6;
}

void check_near(Report& report, const Twin& twin, Element element, double step,
                const std::string& name) {
  const std::vector<float> found = loaded(twin.found(), element);
  const std::vector<float> wanted = loaded(twin.wanted(), element);
  double most = 1e-6, worst = 0;
  for (const float x : wanted) most = std::max(most, std::fabs(double{x}));
  for (size_t i = 0; i < found.size(); ++i) {
    const double off = std::fabs(double{found[i]} - wanted[i]);
    worst = std::max(worst, std::isnan(off) ? HUGE_VAL : off);
  }
  report.check(worst <= step * most, name + " " + name_of(element),
               std::to_string(worst) + " of " + std::to_string(most));
}

void check_near(Report& report, const Twin& twin, Element element, const std::string& name) {
  check_near(report, twin, element, bound_of(element), name);
}

template <class Job>
void on_both(void (*device)(const Job&, Stream), void (*plain)(const Job&, Stream),
             const std::function<Job(bool)>& job) {
  device(job(true), nullptr);
  plain(job(false), nullptr);
  cuda::wait_for(nullptr);
}

const cuda::StepTable& kernels_on_device() {
  return cuda::step_table();
}
const cuda::StepTable& plain() {
  return cuda::plain_step_table();
}

void check_norm(Report& report, Element element, cuda::NormKind kind, int64_t width) {
  constexpr int64_t kBatch = 3;
  const auto count = static_cast<size_t>(kBatch * width);
  Twin x = normal(count, element, 1), more = normal(count, element, 2);
  Twin weight = normal(static_cast<size_t>(width), element, 3);
  Twin sum = zeros(count, element), out = zeros(count, element);
  on_both<cuda::StepNorm>(kernels_on_device().norm, plain().norm, [&](bool device) {
    cuda::StepNorm job{.x = {.data = x.on(device), .row = width},
                       .sum = sum.on(device),
                       .weight = weight.on(device),
                       .out = out.on(device),
                       .batch = kBatch,
                       .width = width,
                       .eps = 1e-5f,
                       .kind = kind,
                       .element = element};
    job.added[0] = more.on(device);
    return job;
  });
  const std::string name =
      "norm " + std::to_string(static_cast<int>(kind)) + " of " + std::to_string(width);
  check_near(report, sum, element, name + ", sum");
  check_near(report, out, element, name);
}

void check_product(Report& report, Element element, int64_t rows, int64_t columns, int64_t batch) {
  Twin weight = normal(static_cast<size_t>(rows * columns), element, 4);
  Twin x = normal(static_cast<size_t>(batch * columns), element, 5);
  Twin bias = normal(static_cast<size_t>(rows), element, 6);
  Twin y = zeros(static_cast<size_t>(batch * rows), element);
  on_both<cuda::DenseProduct>(kernels_on_device().product, plain().product, [&](bool device) {
    return cuda::DenseProduct{.weight = weight.on(device),
                              .bias = bias.on(device),
                              .bias_apart = batch % 2 == 0,
                              .x = x.on(device),
                              .y = y.on(device),
                              .rows = rows,
                              .columns = columns,
                              .batch = batch,
                              .element = element};
  });
  check_near(report, y, element,
             "product " + std::to_string(rows) + " x " + std::to_string(columns) + " batch " +
                 std::to_string(batch));
}

void check_product4(Report& report, Element element, int64_t rows, int64_t columns, int64_t batch) {
  Twin packed(random_bytes(static_cast<size_t>(rows * columns / 2), 7));
  std::vector<float> absmax = normal_floats(static_cast<size_t>(rows * columns / 64), 19);
  for (float& scale : absmax) scale = std::fabs(scale);
  Twin scales(absmax, Element::kFloat32);
  Twin x = normal(static_cast<size_t>(batch * columns), element, 8);
  Twin bias = normal(static_cast<size_t>(rows), element, 9);
  Twin y = zeros(static_cast<size_t>(batch * rows), element);
  const DeviceBytes workspace(cuda::gemv4_workspace_bytes(columns));
  on_both<cuda::Gemv4>(kernels_on_device().product4, plain().product4, [&](bool device) {
    return cuda::Gemv4{.packed = static_cast<const uint8_t*>(packed.on(device)),
                       .scales = static_cast<const float*>(scales.on(device)),
                       .codebook = kNf4,
                       .rows = rows,
                       .columns = columns,
                       .group = 64,
                       .x = x.on(device),
                       .element = element,
                       .batch = batch,
                       .bias = bias.on(device),
                       .bias_apart = batch % 2 == 0,
                       .y = y.on(device),
                       .workspace = workspace.data()};
  });
  // Products are in fp16 whatever x is.
  check_near(report, y, element, std::max(bound_of(element), 0x1p-10),
             "product of codes with a bias, " + std::to_string(rows) + " x " +
                 std::to_string(columns) + " batch " + std::to_string(batch));
}

struct AttentionCase {
  int32_t heads, kv_heads, width, pairs, window;
  bool rounds, slopes;
  cuda::RotationStyle style;
};

void check_attention(Report& report, Element element, const AttentionCase& c) {
  constexpr int64_t kBatch = 2, kCapacity = 90;
  const int64_t row = int64_t{c.heads + 2 * c.kv_heads} * c.width;
  const size_t cached = static_cast<size_t>(kBatch * c.kv_heads * kCapacity * c.width);
  Twin qkv = normal(static_cast<size_t>(kBatch * row), element, 10);
  Twin keys = normal(cached, element, 11), values = normal(cached, element, 12);
  Twin cos = normal(static_cast<size_t>(kBatch * c.pairs) + 1, element, 13);
  Twin sin = normal(static_cast<size_t>(kBatch * c.pairs) + 1, element, 14);
  Twin lengths = Twin::of<int32_t>({71, 71}), starts = Twin::of<int32_t>({0, 9});
  Twin slopes(std::vector<float>(static_cast<size_t>(c.heads), 0.031f), Element::kFloat32);
  Twin out = zeros(static_cast<size_t>(kBatch * c.heads * c.width), element);
  const auto part = [&](bool device, int64_t from) {
    return cuda::HeadPlaces{.data = static_cast<char*>(qkv.on(device)) +
                                    from * c.width * static_cast<int64_t>(bytes_of(element)),
                            .row = row,
                            .group = c.width};
  };
  on_both<cuda::StepAttention>(kernels_on_device().attention, plain().attention, [&](bool device) {
    cuda::StepAttention job{
        .q = part(device, 0),
        .k = part(device, c.heads),
        .v = part(device, c.heads + c.kv_heads),
        .table = {.cos = cos.on(device), .sin = sin.on(device), .pairs = c.pairs},
        .style = c.style,
        .keys = keys.on(device),
        .values = values.on(device),
        .capacity = kCapacity,
        .progress = {static_cast<int32_t*>(lengths.on(device)),
                     static_cast<const int32_t*>(starts.on(device))},
        .batch = kBatch,
        .heads = c.heads,
        .kv_heads = c.kv_heads,
        .width = c.width,
        .scoring = {.scale = 0.09f, .rounds = c.rounds},
        .window = c.window,
        .out = out.on(device),
        .element = element};
    if (c.slopes) job.slopes = static_cast<const float*>(slopes.on(device));
    return job;
  });
  const std::string name = "attention, " + std::to_string(c.heads) + " of " +
                           std::to_string(c.kv_heads) + " heads of " + std::to_string(c.width);
  check_near(report, out, element, name);
  check_near(report, keys, element, name + ", keys");
  check_near(report, values, element, name + ", values");
}

void check_elements(Report& report, Element element) {
  constexpr int64_t kBatch = 2, kWidth = 333;
  const auto count = static_cast<size_t>(kBatch * kWidth);
  for (int kind = 0; kind <= static_cast<int>(cuda::ActivationKind::kTanh); ++kind) {
    Twin x = normal(count, element, 15), other = normal(count, element, 16);
    Twin out = zeros(count, element);
    on_both<cuda::StepActivation>(
        kernels_on_device().activation, plain().activation, [&](bool device) {
          return cuda::StepActivation{.x = x.on(device),
                                      .other = kind % 2 == 0 ? other.on(device) : nullptr,
                                      .x_row = kWidth,
                                      .other_row = kWidth,
                                      .batch = kBatch,
                                      .width = kWidth,
                                      .kind = static_cast<cuda::ActivationKind>(kind),
                                      .out = out.on(device),
                                      .element = element};
        });
    check_near(report, out, element, "activation " + std::to_string(kind));
  }
}

void check_end(Report& report, Element element, int64_t vocabulary) {
  constexpr int64_t kBatch = 2, kWidth = 40;
  std::vector<float> values = normal_floats(static_cast<size_t>(kBatch * vocabulary), 17);
  values[5] = values[3] = 100;  // of equals the first
  values[1] = NAN;
  Twin logits(values, element), hidden = normal(kBatch * kWidth, element, 18);
  Twin kept = zeros(static_cast<size_t>(4 * kBatch * vocabulary), element);
  Twin kept_hidden = zeros(4 * kBatch * kWidth, element);
  Twin ids = Twin::of<int64_t>({0, 0}), kept_ids = Twin::of<int64_t>(std::vector<int64_t>(8));
  Twin lengths = Twin::of<int32_t>({15, 15}), starts = Twin::of<int32_t>({0, 0});
  on_both<cuda::StepEnd>(kernels_on_device().end, plain().end, [&](bool device) {
    return cuda::StepEnd{.logits = logits.on(device),
                         .hidden = hidden.on(device),
                         .kept_logits = kept.on(device),
                         .kept_hidden = kept_hidden.on(device),
                         .ids = static_cast<int64_t*>(ids.on(device)),
                         .kept_ids = static_cast<int64_t*>(kept_ids.on(device)),
                         .progress = {static_cast<int32_t*>(lengths.on(device)),
                                      static_cast<const int32_t*>(starts.on(device))},
                         .first_length = 10,
                         .ring = 4,
                         .batch = kBatch,
                         .vocabulary = vocabulary,
                         .width = kWidth,
                         .element = element};
  });
  const std::string name = "end of " + std::to_string(vocabulary) + " " + name_of(element);
  report.check(ids.found() == ids.wanted(), name + ", ids");
  report.check(kept_ids.found() == kept_ids.wanted(), name + ", kept ids");
  report.check(lengths.found() == lengths.wanted(), name + ", lengths");
  report.check(kept_hidden.found() == kept_hidden.wanted(), name + ", hidden");
  report.equal(loaded(kept.found(), element), loaded(kept.wanted(), element), name + ", logits");
}

}  // namespace

void step_part(Report& report) {
  using cuda::NormKind;
  using cuda::RotationStyle;
  for (const Element element : kElements) {
    for (const NormKind kind : {NormKind::kLayer, NormKind::kRmsAfterRounding,
                                NormKind::kRmsBeforeRounding, NormKind::kRmsOnePlus}) {
      for (const int64_t width : {1, 31, 256, 1000, 4096, 20000}) {
        check_norm(report, element, kind, width);
      }
    }
    for (const int64_t batch : {1, 2, 3, 8}) {
      for (const int64_t columns : {1, 7, 128, 1000, 4096}) {
        check_product(report, element, 37, columns, batch);
      }
      check_product4(report, element, 37, 256, batch);
      check_product4(report, element, 100, 4096, batch);
      check_product4(report, element, 5000, 2080, batch);
      check_product4(report, element, 300, 11008, batch);
      check_product4(report, element, 40, 28672, batch);
    }
    check_attention(report, element, {4, 4, 32, 0, 0, true, true, RotationStyle::kHalves});
    check_attention(report, element, {8, 2, 128, 64, 0, false, false, RotationStyle::kHalves});
    check_attention(report, element, {6, 3, 80, 16, 20, true, false, RotationStyle::kNeighbours});
    check_attention(report, element,
                    {2, 1, 256, 128, 0, false, false, RotationStyle::kNeighboursToHalves});
    check_elements(report, element);
    check_end(report, element, 333);
    check_end(report, element, 4096);
  }
  if (report.with_timings()) time_steps(report);
}

}  // namespace qspec::device_test
