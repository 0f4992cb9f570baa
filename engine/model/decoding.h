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

  // The ids that the next step reads, one a sequence, in place of those that it would choose.
  void give(const std::vector<int64_t>& ids);
  // Queues as many steps; each chooses the highest logit for the next.
  void run(int64_t steps);
  // Waits for the first of these stretches that was not waited for.
  void wait();

  struct Kept {
    RunResult result;          // logits [B, 1, V] on the CPU, hidden [B, 1, width]
    std::vector<int64_t> ids;  // what was chosen
  };
  // Of a step, counted from 0, that was waited for; as long as fewer than `ahead` more are queued.
  Kept kept(int64_t step) const;

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
