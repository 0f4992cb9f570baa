#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace qspec {

// The first of `seen` tokens that a layer with a window still needs for the tokens behind them, the
// first of which sees itself and `window` - 1 others; window 0 is none.
inline int64_t first_in_window(int64_t seen, int64_t window) {
  return window > 0 ? std::max<int64_t>(seen - window + 1, 0) : 0;
}

// Keys and values of the tokens seen so far, layer by layer. Holds up to `capacity` tokens; memory
// is taken at a layer's first append. Of an encoder-decoder also what the encoder made of the
// sources, which every step of the decoder reads.
class KvCache {
 public:
  KvCache(int64_t layers, int64_t capacity);

  // keys and values [B, K, T, D] are copied behind those of `layer`. Returns all of them, or those
  // from first_in_window on: [B, K, L, D] views that stay valid until the next append.
  std::pair<at::Tensor, at::Tensor> append(int64_t layer, const at::Tensor& keys,
                                           const at::Tensor& values, int64_t window = 0);

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
