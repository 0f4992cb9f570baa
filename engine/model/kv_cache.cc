#include "engine/model/kv_cache.h"

#include <ATen/ops/empty.h>

#include <string>

#include "engine/core/error.h"

namespace qspec {
namespace {

at::Tensor allocate(const at::Tensor& like, int64_t capacity) {
  return at::empty({like.size(0), like.size(1), capacity, like.size(3)}, like.options());
}

}  // namespace

KvCache::KvCache(int64_t layers, int64_t capacity)
    : stored_(static_cast<size_t>(layers)), capacity_(capacity) {}

std::pair<at::Tensor, at::Tensor> KvCache::append(int64_t layer, const at::Tensor& keys,
                                                  const at::Tensor& values, int64_t window) {
  const int64_t tokens = keys.size(2);
  if (tokens > capacity_ - length_) {
    throw Error(ErrorKind::kInternal, "the cache holds " + std::to_string(capacity_) +
                                          " tokens, wanted " + std::to_string(length_ + tokens));
  }
  auto& [stored_keys, stored_values] = stored_.at(static_cast<size_t>(layer));
  if (!stored_keys.defined()) {
    stored_keys = allocate(keys, capacity_);
    stored_values = allocate(values, capacity_);
  }
  stored_keys.narrow(2, length_, tokens).copy_(keys);
  stored_values.narrow(2, length_, tokens).copy_(values);
  const int64_t first = first_in_window(length_, window), kept = length_ + tokens - first;
  return {stored_keys.narrow(2, first, kept), stored_values.narrow(2, first, kept)};
}

}  // namespace qspec
