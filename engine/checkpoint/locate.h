#pragma once

#include <string>
#include <vector>

#include "engine/checkpoint/checkpoint.h"
#include "engine/checkpoint/container.h"

namespace qspec {

// Which files hold the weights of the model at a path.
struct WeightFiles {
  std::string folder;  // that holds them
  std::string single;  // the path of the one file, or "" when there is an index
  std::string index;   // the path of the index, or ""
  std::vector<CheckpointProblem> problems;
  const Container* container = nullptr;  // what kind of file they are
  std::vector<std::string> parts{};      // the paths of a split GGUF file in order, else none
};

// Follows transformers' order of preference. Throws Error(kIo) when there is nothing at `path`,
// Error(kUnsupported) when there are weights of another kind, Error(kCheckpoint) when there are
// none or it cannot be told which are meant.
WeightFiles locate_weights(const std::string& path);

// Throws Error(kCheckpoint) when `path`, a shard named by an index in `folder`, is a link to a
// place outside of it. The hub cache's own links (snapshots/X/f to blobs/Y) stay inside.
void require_inside(const std::string& folder, const std::string& path);

// "did you mean 'x'?", x being the entry of `folder` with the name nearest to `name`; "" when none
// is near.
std::string nearest_entry_hint(const std::string& folder, const std::string& name);

}  // namespace qspec
