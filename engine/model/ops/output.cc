#include <ATen/core/Tensor.h>

#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

// {op="tap", x=, name=}: makes a hidden state available under a name.
Operation tap(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const std::string name = attributes.text("name");
  return [=](Frame& frame) {
    if (frame.wanted_taps.contains(name)) frame.taps.emplace(name, frame[x]);
  };
}

// {op="last_position", x=, out=}: [B, T, width] -> [B, 1, width] when only the next token is asked
// for, and x itself otherwise.
Operation last_position(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor& all = frame[x];
    frame[out] = frame.last_position_only ? all.narrow(1, all.size(1) - 1, 1) : all;
  };
}

constexpr OpKind kOps[] = {{"tap", tap}, {"last_position", last_position}};

}  // namespace

std::span<const OpKind> output_ops() {
  return kOps;
}

}  // namespace qspec
