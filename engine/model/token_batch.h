#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

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

// What a program is given: "ids" [B, T], "positions" [B, T] and "keys" [B, L] on `device`, for the
// tokens of a batch behind `seen` others.
std::vector<at::Tensor> registers_of(const TokenBatch& batch, int64_t seen, c10::Device device);

// One more token for each sequence, behind those that `keys` [B, L] tells of.
TokenBatch next_tokens(const std::vector<int64_t>& ids, const at::Tensor& keys);

}  // namespace qspec
