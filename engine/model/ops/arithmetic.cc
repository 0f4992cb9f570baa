#include <ATen/ATen.h>

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

// {op="scale", x=, by=, rounded=, out=}: by a number, rounded to the dtype of x before when asked.
Operation scale(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const double by = attributes.number("by");
  const bool rounded = attributes.flag("rounded");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor& given = frame[x];
    frame[out] = rounded ? given * at::full({}, by, given.options()) : at::mul(given, by);
  };
}

// {op="divide", x=, by=, out=}
Operation divide(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const double by = attributes.number("by");
  if (by == 0) attributes.fail("attribute 'by' is 0");
  const Slot out = attributes.output();
  return [=](Frame& frame) { frame[out] = at::div(frame[x], by); };
}

// {op="clamp", x=, low=, high=, out=}
Operation clamp(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const double low = attributes.number("low"), high = attributes.number("high");
  const Slot out = attributes.output();
  return [=](Frame& frame) { frame[out] = at::clamp(frame[x], low, high); };
}

// {op="softcap", x=, cap=, out=}: tanh(x / cap) * cap, rounded at each step.
Operation softcap(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const double cap = attributes.number("cap");
  if (cap == 0) attributes.fail("attribute 'cap' is 0");
  const Slot out = attributes.output();
  return [=](Frame& frame) { frame[out] = at::mul(at::tanh(at::div(frame[x], cap)), cap); };
}

// {op="within_fp16", x=, out=}: x in fp16 without infinities, as T5 has it: clamped to the largest
// number, or to 1000 less when there is an infinity. Other dtypes pass.
Operation within_fp16(Attributes& attributes) {
  const Slot x = attributes.input("x");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    constexpr double kMost = 65504, kBelow = 1000;
    const at::Tensor& given = frame[x];
    if (given.scalar_type() != at::kHalf) {
      frame[out] = given;
      return;
    }
    const bool overflows = at::isinf(given).any().item<bool>();
    const double bound = overflows ? kMost - kBelow : kMost;
    frame[out] = at::clamp(given, -bound, bound);
  };
}

constexpr OpKind kOps[] = {{"add", add},
                           {"mul", mul},
                           {"scale", scale},
                           {"divide", divide},
                           {"clamp", clamp},
                           {"softcap", softcap},
                           {"within_fp16", within_fp16}};

}  // namespace

std::span<const OpKind> arithmetic_ops() {
  return kOps;
}

}  // namespace qspec
