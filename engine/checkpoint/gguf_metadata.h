#pragma once

#include <cstdint>
#include <vector>

#include "engine/checkpoint/byte_cursor.h"
#include "engine/checkpoint/metadata.h"

namespace qspec {

// Ours; the format has none.
inline constexpr uint64_t kMaxGgufKeys = 65'536;
inline constexpr uint64_t kMaxGgufKeyBytes = 65'535;
inline constexpr uint64_t kMaxGgufStringBytes = 64u << 20;
inline constexpr uint64_t kMaxGgufMetadataBytes = 512u << 20;

// A string: its length in 8 bytes, then its bytes, at most `most`.
std::string_view take_gguf_string(ByteCursor& cursor, uint64_t most, std::string_view what);

// The `count` keys with their values that follow. Throws Error(kCheckpoint | kUnsupported).
std::vector<MetadataEntry> read_gguf_metadata(ByteCursor& cursor, uint64_t count);

}  // namespace qspec
