#include "engine/model/prefix_cache.h"

#include <ATen/ops/equal.h>

#include <algorithm>

namespace qspec {
namespace {

const void* storage_of(const at::Tensor& tensor) {
  return tensor.storage().unsafeGetStorageImpl();
}

bool is_same(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const at::Tensor& one, const at::Tensor& other) {
                      return one.sizes() == other.sizes() && at::equal(one, other);
                    });
}

}  // namespace

size_t PrefixCache::find(const std::vector<at::Tensor>& given) const {
  size_t place = 0;
  while (place < prompts_.size() && !is_same(prompts_[place].given, given)) ++place;
  return place;
}

size_t PrefixCache::resume(const std::vector<at::Tensor>& given, const Instructions& instructions,
                           std::vector<at::Tensor>& slots) const {
  const size_t place = find(given);
  if (place == prompts_.size()) return 0;
  const auto& states = prompts_[place].states;
  for (size_t count = instructions.size(); count > 0; --count) {
    if (!instructions[count - 1]->is_tap) continue;
    const auto first = instructions.begin();
    const auto found =
        states.find(Instructions(first, first + static_cast<Instructions::difference_type>(count)));
    if (found == states.end()) continue;
    slots = found->second;
    return count;
  }
  return 0;
}

int64_t PrefixCache::new_bytes(const std::vector<at::Tensor>& slots) const {
  std::set<const void*> counted;
  int64_t bytes = 0;
  for (const at::Tensor& slot : slots) {
    if (!slot.defined() || held_.contains(storage_of(slot))) continue;
    if (counted.insert(storage_of(slot)).second) {
      bytes += static_cast<int64_t>(slot.storage().nbytes());
    }
  }
  return bytes;
}

void PrefixCache::keep(const std::vector<at::Tensor>& given,
                       std::span<const std::shared_ptr<const Instruction>> prefix,
                       const std::vector<at::Tensor>& slots) {
  const int64_t bytes = new_bytes(slots);
  if (bytes > budget_) return;
  const size_t place = find(given);
  if (place == prompts_.size()) prompts_.push_back({given, {}});
  auto& states = prompts_[place].states;
  if (!states.try_emplace({prefix.begin(), prefix.end()}, slots).second) return;
  budget_ -= bytes;
  for (const at::Tensor& slot : slots) {
    if (slot.defined()) held_.insert(storage_of(slot));
  }
}

}  // namespace qspec
