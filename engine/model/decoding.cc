#include "engine/model/decoding.h"

#include <ATen/ops/empty.h>

#include <utility>

#include "engine/core/error.h"
#include "engine/kernels/step/table.h"
#include "engine/kernels/table.h"
#include "engine/tensor/gpu_kernels.h"

namespace qspec {
namespace {

at::Tensor ring(int64_t ahead, int64_t rows, int64_t width, const at::Tensor& like,
                at::ScalarType dtype) {
  return at::empty({ahead, rows, width}, like.options().dtype(dtype));
}

// Padding before the first token of each sequence.
at::Tensor starts_of(const at::Tensor& keys) {
  return keys.eq(0).sum(1).to(at::kInt);
}

}  // namespace

std::unique_ptr<Decoding> Decoding::begin(const Model& model, KvCache& cache,
                                          const at::Tensor& keys, int64_t ahead) {
  const cuda::StepTable* kernels = model.step_kernels();
  if (kernels == nullptr) return nullptr;
  if (model.device().is_cuda()) gpu_kernels()->use_device(model.device().index());
  try {
    step::Plan plan = step::plan_step(model.step_source(), cache, starts_of(keys));
    return std::unique_ptr<Decoding>(new Decoding(*kernels, std::move(plan), cache, ahead));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    return nullptr;
  }
}

Decoding::Decoding(const cuda::StepTable& kernels, step::Plan plan, KvCache& cache, int64_t ahead)
    : kernels_(kernels),
      plan_(std::move(plan)),
      cache_(cache),
      ahead_(ahead),
      kept_logits_(ring(ahead, plan_.ids.size(0), plan_.vocabulary, plan_.ids, plan_.dtype)),
      kept_hidden_(ring(ahead, plan_.ids.size(0), plan_.width, plan_.ids, plan_.dtype)),
      kept_ids_(ring(ahead, plan_.ids.size(0), 1, plan_.ids, at::kLong)),
      stream_(kernels.new_stream()) {
  const cuda::StepEnd end{.logits = plan_.logits,
                          .hidden = plan_.hidden,
                          .kept_logits = kept_logits_.mutable_data_ptr(),
                          .kept_hidden = kept_hidden_.mutable_data_ptr(),
                          .ids = plan_.ids.mutable_data_ptr<int64_t>(),
                          .kept_ids = kept_ids_.mutable_data_ptr<int64_t>(),
                          .progress = plan_.progress(),
                          .first_length = static_cast<int32_t>(cache.length()),
                          .ring = static_cast<int32_t>(ahead),
                          .batch = plan_.ids.size(0),
                          .vocabulary = plan_.vocabulary,
                          .width = plan_.width,
                          .element = step::element_of(plan_.dtype)};
  plan_.launches.push_back(
      {"end", [start = kernels.end, end](cuda::Stream stream) { start(end, stream); }});
  // What LibTorch has queued for the cache and the memory of the plan comes first.
  kernels_.wait_for(nullptr);
}

Decoding::~Decoding() {
  kernels_.wait_for(stream_);
  for (const cuda::Mark mark : marks_) kernels_.delete_mark(mark);
  if (recording_ != nullptr) kernels_.delete_recording(recording_);
  kernels_.delete_stream(stream_);
}

void Decoding::give(const at::Tensor& ids) {
  const at::Tensor given = ids.contiguous();
  kernels_.copy_bytes(plan_.ids.mutable_data_ptr(), given.const_data_ptr(), given.nbytes(),
                      stream_);
}

void Decoding::launch_all() {
  for (const step::Launch& launch : plan_.launches) launch.start(stream_);
}

void Decoding::record() {
  kernels_.begin_recording(stream_);
  try {
    launch_all();
  } catch (const Error&) {
    kernels_.drop_recording(stream_);
    throw;
  }
  recording_ = kernels_.end_recording(stream_);
}

// The first step is launched as it is, which loads the kernels; a recording must not.
void Decoding::run(int64_t steps) {
  for (int64_t i = 0; i < steps; ++i) {
    if (queued_ == 1 && kernels_.begin_recording != nullptr) record();
    recording_ != nullptr ? kernels_.play(recording_, stream_) : launch_all();
    ++queued_;
  }
  cache_.advance(steps);
  kernels_.set_mark(marks_.emplace_back(kernels_.new_mark()), stream_);
}

void Decoding::wait() {
  const cuda::Mark mark = marks_.front();
  kernels_.wait_for_mark(mark);
  marks_.pop_front();
  kernels_.delete_mark(mark);
}

Decoding::Kept Decoding::kept(int64_t step, int64_t steps) const {
  const int64_t slot = step % ahead_;
  return {kept_logits_.narrow(0, slot, steps).to(at::kCPU), kept_hidden_.narrow(0, slot, steps),
          kept_ids_.narrow(0, slot, steps).squeeze(2).to(at::kCPU)};
}

}  // namespace qspec
