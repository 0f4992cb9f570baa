#pragma once

#include <map>
#include <string>

#include "engine/checkpoint/zip.h"

namespace qspec {

// The members of a torch.save archive by what they are.
struct TorchMembers {
  ZipMember pickle;                           // data.pkl
  std::map<std::string, ZipMember> storages;  // data/<key>, by key
};

// Refuses, by name, what is no such archive: pickles without one, tar files, TorchScript, a second
// folder, big-endian storages.
TorchMembers read_torch_members(const ByteSource& source);

}  // namespace qspec
