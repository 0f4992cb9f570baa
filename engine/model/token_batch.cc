#include "engine/model/token_batch.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <string>

#include "engine/core/error.h"

namespace qspec {
namespace {

void check_sequence(const std::vector<int64_t>& ids, int64_t vocab_size) {
  const auto length = static_cast<int64_t>(ids.size());
  if (length < 1 || length > kMaxTokens) {
    throw Error(ErrorKind::kSpec, "a sequence of " + std::to_string(length) +
                                      " tokens, wanted 1 to " + std::to_string(kMaxTokens));
  }
  for (const int64_t id : ids) {
    if (id >= 0 && id < vocab_size) continue;
    throw Error(ErrorKind::kSpec, "token id " + std::to_string(id) +
                                      " is not in the vocabulary of " + std::to_string(vocab_size))
        .hint("the ids may come from another model's tokenizer");
  }
}

}  // namespace

TokenBatch make_batch(std::span<const std::vector<int64_t>> sequences, int64_t vocab_size) {
  size_t longest = 0;
  for (const auto& ids : sequences) {
    check_sequence(ids, vocab_size);
    longest = std::max(longest, ids.size());
  }
  if (longest == 0) throw Error(ErrorKind::kSpec, "no sequence to run, wanted at least one");
  const auto rows = static_cast<int64_t>(sequences.size());
  const auto width = static_cast<int64_t>(longest);
  TokenBatch batch{at::zeros({rows, width}, at::kLong), at::zeros({rows, width}, at::kLong)};
  for (size_t row = 0; row < sequences.size(); ++row) {
    const auto& ids = sequences[row];
    const size_t end = (row + 1) * longest;
    std::copy(ids.begin(), ids.end(), batch.ids.mutable_data_ptr<int64_t>() + end - ids.size());
    std::fill_n(batch.keys.mutable_data_ptr<int64_t>() + end - ids.size(), ids.size(), 1);
  }
  return batch;
}

std::vector<at::Tensor> registers_of(const TokenBatch& batch, int64_t seen, c10::Device device) {
  const at::Tensor keys = batch.keys.to(device);
  const at::Tensor positions = keys.cumsum(1).sub_(1).clamp_min_(0);
  return {batch.ids.to(device), positions.narrow(1, seen, batch.ids.size(1)), keys};
}

TokenBatch next_tokens(const std::vector<int64_t>& ids, const at::Tensor& keys) {
  const auto rows = static_cast<int64_t>(ids.size());
  return {at::tensor(ids).view({rows, 1}), at::cat({keys, at::ones({rows, 1}, at::kLong)}, 1)};
}

}  // namespace qspec
