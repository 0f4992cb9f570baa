#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/checkpoint/checkpoint.h"
#include "engine/core/byte_source.h"

namespace qspec {

// The format's own limit on the header, and ours on what one header may hold.
inline constexpr uint64_t kMaxHeaderBytes = 100'000'000;
inline constexpr size_t kMaxTensors = 1'000'000;
inline constexpr size_t kMaxNameBytes = 4096;
inline constexpr size_t kMaxRank = 32;
inline constexpr size_t kMaxMetadataKeys = 65'536;

struct SafetensorsHeader {
  uint64_t bytes = 0;  // of the length field and the header: tensor data begins there
  std::map<std::string, std::string> metadata;
  std::vector<TensorEntry> tensors;  // by offset; `offset` counts from the start of the file
};

// Reads and checks the header, strictly: every byte after it belongs to exactly one tensor whose
// dtype and shape give its length, no key occurs twice, no field is unknown. Reads no tensor data.
// Throws Error(kCheckpoint | kUnsupported | kIo).
SafetensorsHeader read_safetensors_header(const ByteSource& source);

}  // namespace qspec
