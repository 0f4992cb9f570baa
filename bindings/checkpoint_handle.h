#pragma once

#include <memory>

#include "engine/checkpoint/checkpoint.h"

namespace qspec::lua {

// What a qspec.Checkpoint userdata holds.
struct CheckpointHandle {
  static constexpr const char* kLuaName = "qspec.Checkpoint";
  std::shared_ptr<Checkpoint> checkpoint;
};

}  // namespace qspec::lua
