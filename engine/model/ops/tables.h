#pragma once

#include <span>
#include <string_view>

#include "engine/model/attributes.h"
#include "engine/model/frame.h"

namespace qspec {

// One kind of instruction: its name in a program, and the function that reads its attributes and
// binds its weights. Each file of this folder holds the ops of one concept and their attributes.
struct OpKind {
  std::string_view name;
  Operation (*prepare)(Attributes&);
};

std::span<const OpKind> embedding_ops();
std::span<const OpKind> linear_ops();
std::span<const OpKind> norm_ops();
std::span<const OpKind> activation_ops();
std::span<const OpKind> arithmetic_ops();
std::span<const OpKind> head_ops();
std::span<const OpKind> attention_ops();
std::span<const OpKind> bias_ops();
std::span<const OpKind> rope_ops();
std::span<const OpKind> sdpa_ops();
std::span<const OpKind> part_ops();
std::span<const OpKind> routing_ops();
std::span<const OpKind> expert_ops();
std::span<const OpKind> output_ops();
std::span<const OpKind> distance_ops();

}  // namespace qspec
