#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace qspec {

inline constexpr int64_t kMaxTokens = 65536;  // of one sequence: scores grow with its square

// Sequences of token ids, the shorter ones padded on the left.
struct TokenBatch {
  at::Tensor ids;   // int64 [B, T]
  at::Tensor keys;  // int64 [B, L]: 1 for a token, 0 for padding, tokens in the cache included
};

// Throws Error(kSpec) for no sequence, an empty or too long one, and an id outside the vocabulary.
TokenBatch make_batch(std::span<const std::vector<int64_t>> sequences, int64_t vocab_size);

// One more token for each sequence, behind those that `keys` [B, L] tells of.
TokenBatch next_tokens(const std::vector<int64_t>& ids, const at::Tensor& keys);

}  // namespace qspec
