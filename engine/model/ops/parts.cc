#include <ATen/ATen.h>

#include <vector>

#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

std::vector<int64_t> sizes_of(Attributes& attributes) {
  constexpr double kMost = int64_t{1} << 40;
  std::vector<int64_t> sizes;
  for (const Json& size : attributes.value("sizes")) {
    const double value = size.is_number() ? size.get<double>() : 0;
    if (!(value >= 1 && value <= kMost)) attributes.fail("attribute 'sizes' wants whole numbers");
    sizes.push_back(static_cast<int64_t>(value));
  }
  if (sizes.empty()) attributes.fail("attribute 'sizes' is empty");
  return sizes;
}

// {op="split", x=, sizes={...}, out={...}}: the last dimension in parts of these sizes, which are
// views.
Operation split(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const std::vector<int64_t> sizes = sizes_of(attributes);
  const auto out = attributes.outputs("out", sizes.size());
  return [=](Frame& frame) {
    const auto parts = frame[x].split_with_sizes(sizes, -1);
    for (size_t i = 0; i < parts.size(); ++i) frame[out[i]] = parts[i];
  };
}

// {op="concat", x=, y=, out=}: along the last dimension. y has the heads of x, or one for all.
Operation concat(Attributes& attributes) {
  const Slot x = attributes.input("x"), y = attributes.input("y");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    auto sizes = frame[x].sizes().vec();
    sizes.back() = frame[y].size(-1);
    frame[out] = at::cat({frame[x], frame[y].expand(sizes)}, -1);
  };
}

constexpr OpKind kOps[] = {{"split", split}, {"concat", concat}};

}  // namespace

std::span<const OpKind> part_ops() {
  return kOps;
}

}  // namespace qspec
