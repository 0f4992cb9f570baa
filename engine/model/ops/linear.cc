#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

// {op="linear", x=, weight=, shape={O, I}, bias=, out=}: x [..., I] -> [..., O].
Operation linear(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const auto weight = attributes.linear("weight");
  const Slot out = attributes.output();
  return [=](Frame& frame) { frame[out] = weight->apply(frame[x]); };
}

constexpr OpKind kOps[] = {{"linear", linear}};

}  // namespace

std::span<const OpKind> linear_ops() {
  return kOps;
}

}  // namespace qspec
