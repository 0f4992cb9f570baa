#include "engine/checkpoint/metadata.h"

#include <algorithm>
#include <array>
#include <bit>

#include "engine/core/little_endian.h"

namespace qspec {
namespace {

using Type = MetadataType;

// Numbers and widths: ggml's docs/gguf.md, enum gguf_metadata_value_type.
constexpr std::array<MetadataTypeInfo, 13> kTypes = {{
    {Type::kU8, "u8", 1},
    {Type::kI8, "i8", 1},
    {Type::kU16, "u16", 2},
    {Type::kI16, "i16", 2},
    {Type::kU32, "u32", 4},
    {Type::kI32, "i32", 4},
    {Type::kF32, "f32", 4},
    {Type::kBool, "bool", 1},
    {Type::kString, "string", 0},
    {Type::kArray, "array", 0},
    {Type::kU64, "u64", 8},
    {Type::kI64, "i64", 8},
    {Type::kF64, "f64", 8},
}};

int64_t sign_extended(uint64_t bits, size_t bytes) {
  const auto unused = static_cast<int>(8 * (8 - bytes));
  return static_cast<int64_t>(bits << unused) >> unused;
}

}  // namespace

const MetadataTypeInfo* metadata_type(uint32_t number) {
  return number < kTypes.size() ? &kTypes[number] : nullptr;
}

const MetadataTypeInfo& info(MetadataType type) {
  return kTypes.at(static_cast<size_t>(type));
}

MetadataValue metadata_number(MetadataType type, std::string_view bytes) {
  const uint64_t bits = little_endian(bytes);
  switch (type) {
    case Type::kI8:
    case Type::kI16:
    case Type::kI32:
    case Type::kI64:
      return sign_extended(bits, bytes.size());
    case Type::kF32:
      return static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    case Type::kF64:
      return std::bit_cast<double>(bits);
    case Type::kBool:
      return bits != 0;
    default:
      return bits;
  }
}

const MetadataEntry* find_metadata(const std::vector<MetadataEntry>& entries,
                                   std::string_view key) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const MetadataEntry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace qspec
