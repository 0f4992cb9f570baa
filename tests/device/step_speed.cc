#include "tests/device/step_speed.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "engine/kernels/step/table.h"
#include "tests/device/codes4.h"

namespace qspec::device_test {
namespace {

using cuda::Stream;

// A step of LLaMA 7B in NF4 with random weights, as it is planned: each layer has its own.
class Llama7b {
 public:
  explicit Llama7b(int64_t batch)
      : batch_(batch),
        x_(bytes(kWidth)),
        normed_(bytes(kWidth)),
        branch_(bytes(kWidth)),
        qkv_(bytes(3 * kWidth)),
        heads_(bytes(kWidth)),
        gate_up_(bytes(2 * kInner)),
        inner_(bytes(kInner)),
        logits_(bytes(kVocabulary)),
        kept_(bytes(kVocabulary)),
        cache_(static_cast<size_t>(2 * kLayers * batch * kCapacity * kWidth * 2)),
        codes_(static_cast<size_t>(kLayers * kLayerWeights / 2)),
        scales_(static_cast<size_t>(kLayers * kLayerWeights / 64)),
        head_(static_cast<size_t>(kVocabulary * kWidth * 2)),
        workspace_(cuda::gemv4_workspace_bytes(kInner)),
        tables_(bytes(kHeadWidth)),
        ids_(std::vector<int64_t>(static_cast<size_t>(batch), 1)),
        kept_ids_(static_cast<size_t>(batch)),
        lengths_(std::vector<int32_t>(static_cast<size_t>(batch), kLength)),
        starts_(std::vector<int32_t>(static_cast<size_t>(batch), 0)) {
    fill_random(codes_.data(), static_cast<size_t>(kLayers * kLayerWeights / 2), 1);
    fill_scales(scales_.data(), static_cast<size_t>(kLayers * kLayerWeights / 64), 2);
    fill_random(head_.data(), static_cast<size_t>(kVocabulary * kWidth * 2), 3);
    for (const auto* one : {&x_, &normed_, &branch_, &qkv_, &heads_, &gate_up_, &inner_}) {
      fill_random(one->data(), 2048, 4);
    }
    fill_random(cache_.data(), static_cast<size_t>(2 * kLayers * batch * kCapacity * kWidth * 2),
                5);
  }

  void begin() const {
    const std::vector<int32_t> lengths(static_cast<size_t>(batch_), kLength);
    cuda::copy_bytes(lengths_.data(), lengths.data(), lengths.size() * sizeof(int32_t), nullptr);
  }

  static double weight_bytes() {
    return kLayers * kLayerWeights * 0.5625 + 2.0 * kVocabulary * kWidth;
  }

  void layer(int64_t index, Stream stream, const std::string& without) const {
    const int64_t from = index * kLayerWeights;
    const auto unless = [&](const char* name, const auto& launch) {
      if (without != name) launch();
    };
    unless("norm", [&] { norm(stream); });
    unless("product4", [&] { product4(from, 3 * kWidth, kWidth, normed_, qkv_, stream); });
    unless("attention", [&] { attention(index, stream); });
    unless("product4",
           [&] { product4(from + 3 * kWidth * kWidth, kWidth, kWidth, heads_, branch_, stream); });
    unless("norm", [&] { norm(stream); });
    unless("product4", [&] {
      product4(from + 4 * kWidth * kWidth, 2 * kInner, kWidth, normed_, gate_up_, stream);
    });
    unless("activation", [&] { activation(stream); });
    unless("product4", [&] {
      product4(from + 4 * kWidth * kWidth + 2 * kInner * kWidth, kWidth, kInner, inner_, branch_,
               stream);
    });
  }

  void step(Stream stream, const std::string& without) const {
    for (int64_t index = 0; index < kLayers; ++index) layer(index, stream, without);
    if (without == "head") return;
    for (int64_t row = 0; row < batch_; row += 8) {
      table().product({.weight = head_.data(),
                       .x = normed_.data() + row * kWidth * 2,
                       .y = logits_.data() + row * kVocabulary * 2,
                       .rows = kVocabulary,
                       .columns = kWidth,
                       .batch = std::min<int64_t>(8, batch_ - row),
                       .element = Element::kBfloat16},
                      stream);
    }
    table().end({.logits = logits_.data(),
                 .hidden = normed_.data(),
                 .kept_logits = kept_.data(),
                 .kept_hidden = branch_.data(),
                 .ids = ids_.data(),
                 .kept_ids = kept_ids_.data(),
                 .progress = {lengths_.data(), starts_.data()},
                 .first_length = kLength,
                 .ring = 1,
                 .batch = batch_,
                 .vocabulary = kVocabulary,
                 .width = kWidth,
                 .element = Element::kBfloat16},
                stream);
  }

 private:
  static constexpr int64_t kLayers = 32, kWidth = 4096, kInner = 11008, kVocabulary = 32000;
  static constexpr int64_t kHeadWidth = 128, kCapacity = 1024;
  static constexpr int32_t kLength = 64;
  static constexpr int64_t kLayerWeights = 4 * kWidth * kWidth + 3 * kInner * kWidth;

  static const cuda::StepTable& table() { return cuda::step_table(); }
  size_t bytes(int64_t width) const { return static_cast<size_t>(batch_ * width * 2); }

  void norm(Stream stream) const {
    cuda::StepNorm job{.x = {.data = x_.data(), .row = kWidth},
                       .sum = x_.data(),
                       .out = normed_.data(),
                       .batch = batch_,
                       .width = kWidth,
                       .eps = 1e-5f,
                       .kind = cuda::NormKind::kRmsAfterRounding,
                       .element = Element::kBfloat16};
    job.added[0] = branch_.data();
    table().norm(job, stream);
  }

  void product4(int64_t from, int64_t rows, int64_t columns, const DeviceBytes& x,
                const DeviceBytes& y, Stream stream) const {
    for (int64_t row = 0; row < batch_; row += 8) {
      table().product4({.packed = codes_.data() + from / 2,
                        .scales = scales_.data() + from / 64,
                        .codebook = kNf4,
                        .rows = rows,
                        .columns = columns,
                        .group = 64,
                        .x = x.data() + row * columns * 2,
                        .element = Element::kBfloat16,
                        .batch = std::min<int64_t>(8, batch_ - row),
                        .y = y.data() + row * rows * 2,
                        .workspace = workspace_.data()},
                       stream);
    }
  }

  void attention(int64_t index, Stream stream) const {
    const auto part = [&](int64_t i) {
      return cuda::HeadPlaces{
          .data = qkv_.data() + i * kWidth * 2, .row = 3 * kWidth, .group = kHeadWidth};
    };
    const int64_t layer_bytes = batch_ * kCapacity * kWidth * 2;
    table().attention({.q = part(0),
                       .k = part(1),
                       .v = part(2),
                       .table = {.cos = tables_.data(), .sin = tables_.data(), .pairs = 64},
                       .keys = cache_.data() + 2 * index * layer_bytes,
                       .values = cache_.data() + (2 * index + 1) * layer_bytes,
                       .capacity = kCapacity,
                       .progress = {lengths_.data(), starts_.data()},
                       .batch = batch_,
                       .heads = 32,
                       .kv_heads = 32,
                       .width = kHeadWidth,
                       .scoring = {.scale = 0.088f},
                       .out = heads_.data(),
                       .element = Element::kBfloat16},
                      stream);
  }

  void activation(Stream stream) const {
    table().activation({.x = gate_up_.data(),
                        .other = gate_up_.data() + kInner * 2,
                        .x_row = 2 * kInner,
                        .other_row = 2 * kInner,
                        .batch = batch_,
                        .width = kInner,
                        .kind = cuda::ActivationKind::kSilu,
                        .out = inner_.data(),
                        .element = Element::kBfloat16},
                       stream);
  }

  int64_t batch_;
  DeviceBytes x_, normed_, branch_, qkv_, heads_, gate_up_, inner_, logits_, kept_, cache_, codes_;
  DeviceArray<float> scales_;
  DeviceBytes head_, workspace_, tables_;
  DeviceArray<int64_t> ids_, kept_ids_;
  DeviceArray<int32_t> lengths_, starts_;
};

// Seconds of a step that was recorded, without the launches of one kind.
double seconds_of_step(const Llama7b& model, const std::string& without) {
  const Stream stream = cuda::new_stream();
  model.begin();
  model.step(stream, without);
  cuda::begin_recording(stream);
  model.step(stream, without);
  const cuda::Recording recording = cuda::end_recording(stream);
  cudaEvent_t begin, end;
  cudaEventCreate(&begin);
  cudaEventCreate(&end);
  constexpr int kSteps = 40;
  for (int i = 0; i < 3; ++i) cuda::play(recording, stream);
  cudaEventRecord(begin, stream);
  for (int i = 0; i < kSteps; ++i) cuda::play(recording, stream);
  cudaEventRecord(end, stream);
  cuda::wait_for(stream);
  float milliseconds = 0;
  cudaEventElapsedTime(&milliseconds, begin, end);
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  cuda::delete_recording(recording);
  cuda::delete_stream(stream);
  return milliseconds * 1e-3 / kSteps;
}

}  // namespace

void time_steps(Report& report) {
  for (const int64_t batch : {1, 8, 32}) {
    const Llama7b model(batch);
    const double whole = seconds_of_step(model, "");
    std::printf("  step of 7B NF4, batch %2d: %.3f ms, %.0f tokens/s, weights at %.2f of copy\n",
                static_cast<int>(batch), whole * 1e3, static_cast<double>(batch) / whole,
                Llama7b::weight_bytes() / whole / copy_bandwidth());
    for (const char* part : {"product4", "norm", "attention", "activation", "head"}) {
      std::printf("    %-10s %.3f ms\n", part, (whole - seconds_of_step(model, part)) * 1e3);
    }
  }
  report.check(true, "timed");
}

}  // namespace qspec::device_test
