#include "engine/model/score.h"

#include <ATen/ops/log_softmax.h>

#include "engine/core/error.h"

namespace qspec {

at::Tensor score(const Model& model, const std::vector<int64_t>& ids) {
  if (ids.size() < 2) {
    throw Error(ErrorKind::kSpec,
                "scoring takes two tokens or more, found " + std::to_string(ids.size()));
  }
  if (model.has_encoder()) {
    throw Error(ErrorKind::kUnsupported, "an encoder-decoder gives no likelihood of a text alone")
        .hint("its decoder predicts an output for a source, and one text is not both");
  }
  const TokenBatch batch = make_batch({&ids, 1}, model.vocab_size());
  const auto tokens = static_cast<int64_t>(ids.size());
  KvCache cache = model.make_cache(tokens);
  const at::Tensor logits = model.run(batch, cache).logits[0].narrow(0, 0, tokens - 1);
  const at::Tensor likelihood = at::log_softmax(logits, -1, at::kFloat);
  const at::Tensor wanted = batch.ids[0].narrow(0, 1, tokens - 1).unsqueeze(1).to(model.device());
  return likelihood.gather(1, wanted).squeeze(1).neg().to(at::kCPU);
}

}  // namespace qspec
