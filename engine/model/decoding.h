#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "engine/kernels/step/recording.h"
#include "engine/model/model.h"
#include "engine/model/step/plan.h"

namespace qspec {

// One token after the other for each sequence of a batch, by kernels of our own: a step is planned
// once, recorded, and played as often as tokens are wanted. Ids, lengths and the cache stay on the
// device; the host looks at what was kept of a step when it likes, some steps later.
class Decoding {
 public:
  // Behind the tokens that `cache` holds; `keys` int64 [B, L] tells of them. Room is made for
  // `ahead` steps that have not been looked at. Null for a model whose steps no kernels do
  // (Model::run does them then).
  static std::unique_ptr<Decoding> begin(const Model& model, KvCache& cache, const at::Tensor& keys,
                                         int64_t ahead);
  ~Decoding();
  Decoding(const Decoding&) = delete;
  Decoding& operator=(const Decoding&) = delete;

  // The ids that the next step reads, int64 [B, 1] on the CPU, in place of those that were chosen.
  void give(const at::Tensor& ids);
  // Queues as many steps; each chooses the highest logit for the next.
  void run(int64_t steps);
  // Waits for the first of these stretches that was not waited for.
  void wait();

  struct Kept {
    at::Tensor logits;  // [steps, B, V] on the CPU
    at::Tensor hidden;  // [steps, B, width]
    at::Tensor ids;     // int64 [steps, B] on the CPU, what was chosen
  };
  // Of as many steps from `step` on, counted from 0, that were waited for, while no more than
  // `ahead` behind `step` are queued. They lie within one round of the ring.
  Kept kept(int64_t step, int64_t steps) const;

 private:
  Decoding(const cuda::StepTable& kernels, step::Plan plan, KvCache& cache, int64_t ahead);

  void launch_all();
  void record();

  const cuda::StepTable& kernels_;
  step::Plan plan_;
  KvCache& cache_;
  int64_t ahead_;
  at::Tensor kept_logits_, kept_hidden_, kept_ids_;  // [ahead, B, ...]
  cuda::Stream stream_;
  cuda::Recording recording_ = nullptr;
  std::deque<cuda::Mark> marks_;  // behind each stretch
  int64_t queued_ = 0;
};

}  // namespace qspec
