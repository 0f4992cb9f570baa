#include "engine/model/step/neighbours.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/tensor/packed.h"

namespace qspec::step {
namespace {

using Group = std::vector<ModuleWeights*>;

// The codes of a linear that can have neighbours.
const Codebook4* codes_of(const ModuleWeights& module) {
  const Codebook4* codes = module.packed ? module.packed->codes4() : nullptr;
  if (codes == nullptr || codes->shape.size() != 2) return nullptr;
  const int64_t count = codes->shape[0] * codes->shape[1];
  return count % (2 * codes->block_size) == 0 ? codes : nullptr;
}

bool are_alike(const Codebook4& a, const Codebook4& b) {
  return a.shape[1] == b.shape[1] && a.block_size == b.block_size && a.codebook.equal(b.codebook);
}

int64_t bytes_of(const Group& group) {
  int64_t bytes = 0;
  for (const ModuleWeights* module : group) bytes += module->packed->bytes();
  return bytes;
}

void join(const Group& group) {
  std::vector<at::Tensor> packed, absmax;
  for (const ModuleWeights* module : group) {
    packed.push_back(codes_of(*module)->packed.view({-1}));
    absmax.push_back(codes_of(*module)->absmax.view({-1}));
  }
  const at::Tensor all_packed = at::cat(packed), all_absmax = at::cat(absmax);
  int64_t codes_from = 0, scales_from = 0;
  for (size_t i = 0; i < group.size(); ++i) {
    Codebook4 moved = *codes_of(*group[i]);
    moved.packed = all_packed.narrow(0, codes_from, packed[i].numel());
    moved.absmax = all_absmax.narrow(0, scales_from, absmax[i].numel());
    codes_from += packed[i].numel();
    scales_from += absmax[i].numel();
    group[i]->packed = group[i]->packed->with_codes4(std::move(moved));
  }
}

}  // namespace

void place_side_by_side(const Json& ops, Weights& weights, int64_t room) {
  Group group;
  std::string input;
  const auto finish = [&] {
    const int64_t bytes = bytes_of(group);
    if (group.size() > 1 && bytes <= room) {
      join(group);
      room -= bytes;
    }
    group.clear();
  };
  for (const Json& op : ops) {
    const auto found =
        op.value("op", "") == "linear" ? weights.find(op.value("weight", "")) : weights.end();
    const Codebook4* codes = found == weights.end() ? nullptr : codes_of(found->second);
    const bool continues = codes != nullptr && !group.empty() && op.value("x", "") == input &&
                           are_alike(*codes_of(*group.back()), *codes) &&
                           std::find(group.begin(), group.end(), &found->second) == group.end();
    if (!continues) finish();
    if (codes == nullptr) continue;
    input = op.value("x", "");
    group.push_back(&found->second);
    if (op.value("out", "") == input) finish();
  }
  finish();
}

}  // namespace qspec::step
