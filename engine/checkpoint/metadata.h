#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace qspec {

// The types of a GGUF file's metadata; the numbers are those of the file.
enum class MetadataType : uint8_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64,
};

struct MetadataTypeInfo {
  MetadataType type;
  std::string_view name;  // "u32"
  uint32_t bytes;         // of one value; 0 when values differ in length
};

// nullptr when `number` is no type.
const MetadataTypeInfo* metadata_type(uint32_t number);
const MetadataTypeInfo& info(MetadataType type);

// Values of one type, as they lie in the file: little-endian, a string after its 8 bytes of length.
// Their lengths were checked; they become values when somebody asks.
struct MetadataArray {
  MetadataType type{};
  uint64_t count = 0;
  std::string bytes;
};

using MetadataValue = std::variant<uint64_t, int64_t, double, bool, std::string, MetadataArray>;

struct MetadataEntry {
  std::string key;
  MetadataType type{};
  MetadataValue value;
  uint64_t offset = 0;  // of the key within the file
};

// The value that `bytes` stand for, which are as many as the type has. Not of strings or arrays.
MetadataValue metadata_number(MetadataType type, std::string_view bytes);

// nullptr when there is no such key.
const MetadataEntry* find_metadata(const std::vector<MetadataEntry>& entries, std::string_view key);

}  // namespace qspec
