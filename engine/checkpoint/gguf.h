#pragma once

#include "engine/checkpoint/file_header.h"
#include "engine/core/byte_source.h"

namespace qspec {

// Ours; the format has none.
inline constexpr uint64_t kMaxGgufTensors = 1'000'000;
inline constexpr uint64_t kMaxGgufNameBytes = 4096;
inline constexpr uint64_t kMaxGgufAlignment = 65'536;
inline constexpr uint32_t kMaxGgufDimensions = 4;

// Reads and checks the header of a GGUF file of version 2 or 3, little-endian: every byte after it
// belongs to one tensor whose type and shape give its length, or is padding between two. Shapes
// become row-major. Throws Error(kCheckpoint | kUnsupported | kIo).
FileHeader read_gguf_header(const ByteSource& source);

}  // namespace qspec
