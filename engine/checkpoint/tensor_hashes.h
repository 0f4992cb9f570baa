#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/checkpoint/checkpoint.h"

namespace qspec {

// SHA-256 of the stored bytes of each entry, as 64 hexadecimal digits: what sha256sum prints for
// that part of the file. Read in order, in pieces, on a few threads. Throws Error(kIo).
std::vector<std::string> hash_tensors(const Checkpoint& checkpoint,
                                      std::span<const TensorEntry* const> entries);

}  // namespace qspec
