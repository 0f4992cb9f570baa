#include <ATen/ops/add.h>
#include <ATen/ops/mul.h>

#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

// {op="add", x=, y=, out=}
Operation add(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const Slot y = attributes.input("y");
  const Slot out = attributes.output();
  return [=](Frame& frame) { frame[out] = at::add(frame[x], frame[y]); };
}

// {op="mul", x=, y=, out=}
Operation mul(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const Slot y = attributes.input("y");
  const Slot out = attributes.output();
  return [=](Frame& frame) { frame[out] = at::mul(frame[x], frame[y]); };
}

// {op="scale", x=, by=, out=}: by a number that is not rounded to the dtype of x before.
Operation scale(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const double by = attributes.number("by");
  const Slot out = attributes.output();
  return [=](Frame& frame) { frame[out] = at::mul(frame[x], by); };
}

constexpr OpKind kOps[] = {{"add", add}, {"mul", mul}, {"scale", scale}};

}  // namespace

std::span<const OpKind> arithmetic_ops() {
  return kOps;
}

}  // namespace qspec
