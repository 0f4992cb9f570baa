#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/checkpoint/file_header.h"
#include "engine/core/byte_source.h"

namespace qspec {

// The format's own limit on the header, and ours on what one header may hold.
inline constexpr uint64_t kMaxHeaderBytes = 100'000'000;
inline constexpr size_t kMaxTensors = 1'000'000;
inline constexpr size_t kMaxNameBytes = 4096;
inline constexpr size_t kMaxRank = 32;
inline constexpr size_t kMaxMetadataKeys = 65'536;

// Reads and checks the header, strictly: every byte after it belongs to exactly one tensor whose
// dtype and shape give its length, no key occurs twice, no field is unknown. Reads no tensor data.
// Throws Error(kCheckpoint | kUnsupported | kIo).
FileHeader read_safetensors_header(const ByteSource& source);

}  // namespace qspec
