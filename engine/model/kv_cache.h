#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace qspec {

// Keys and values of the tokens seen so far, layer by layer. Holds up to `capacity` tokens; memory
// is taken at a layer's first append. Of an encoder-decoder also what the encoder made of the
// sources, which every step of the decoder reads.
class KvCache {
 public:
  KvCache(int64_t layers, int64_t capacity);

  // keys and values [B, K, T, D] are copied behind those of `layer`. Returns all of them,
  // [B, K, L, D] views that stay valid until the next append.
  std::pair<at::Tensor, at::Tensor> append(int64_t layer, const at::Tensor& keys,
                                           const at::Tensor& values);

  // What a layer holds, [B, K, capacity, D] each; undefined before its first append.
  const std::pair<at::Tensor, at::Tensor>& stored(int64_t layer) const {
    return stored_.at(static_cast<size_t>(layer));
  }

  // Tokens held before the current run: advance() ends a run of `tokens`.
  int64_t length() const { return length_; }
  int64_t capacity() const { return capacity_; }
  int64_t layers() const { return static_cast<int64_t>(stored_.size()); }
  void advance(int64_t tokens) { length_ += tokens; }

  void set_source(int64_t sources, std::vector<at::Tensor> made) {
    sources_ = sources;
    source_ = std::move(made);
  }
  int64_t sources() const { return sources_; }
  const std::vector<at::Tensor>& source() const { return source_; }

 private:
  std::vector<std::pair<at::Tensor, at::Tensor>> stored_;  // [B, K, capacity, D] each
  int64_t capacity_;
  int64_t length_ = 0;
  std::vector<at::Tensor> source_;
  int64_t sources_ = 0;
};

}  // namespace qspec
