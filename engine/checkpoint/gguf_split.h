#pragma once

#include <string>
#include <vector>

#include "engine/checkpoint/checkpoint.h"

namespace qspec {

// A model in several GGUF files: model-00001-of-00003.gguf and its like.
//
// The names of all parts of the one that `name` is a part of, in order; none when it stands alone.
std::vector<std::string> gguf_parts(const std::string& name);

// Holds the parts against each other: their numbers, their counts, and that no tensor is in two.
// Throws Error(kCheckpoint).
void check_gguf_split(const std::vector<CheckpointFile>& files,
                      const std::vector<TensorEntry>& tensors);

}  // namespace qspec
