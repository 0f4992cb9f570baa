#include "bindings/host/metadata_value.h"

#include <string_view>

#include "bindings/boundary.h"
#include "engine/core/little_endian.h"

namespace qspec::lua {
namespace {

constexpr size_t kLengthBytes = 8;

void push_value(lua_State* L, uint64_t value) {
  if (value > INT64_MAX) {
    throw Error(ErrorKind::kUnsupported, "the number " + std::to_string(value) + " is above 2^63");
  }
  push_integer(L, static_cast<int64_t>(value));
}

void push_value(lua_State* L, int64_t value) {
  push_integer(L, value);
}

void push_value(lua_State* L, double value) {
  lua_pushnumber(L, value);
}

void push_value(lua_State* L, bool value) {
  lua_pushboolean(L, value);
}

void push_value(lua_State* L, const std::string& value) {
  push(L, value);
}

// Takes the next entry's bytes off `bytes`.
std::string_view take(std::string_view& bytes, size_t count) {
  const std::string_view taken = bytes.substr(0, count);
  bytes.remove_prefix(taken.size());
  return taken;
}

void push_value(lua_State* L, const MetadataArray& array) {
  lua_createtable(L, static_cast<int>(array.count), 0);
  std::string_view bytes = array.bytes;
  for (uint64_t i = 0; i < array.count; ++i) {
    if (array.type == MetadataType::kString) {
      push(L, take(bytes, little_endian(take(bytes, kLengthBytes))));
    } else {
      std::visit([&](const auto& value) { push_value(L, value); },
                 metadata_number(array.type, take(bytes, info(array.type).bytes)));
    }
    lua_rawseti(L, -2, static_cast<int>(i) + 1);
  }
}

}  // namespace

void push_metadata(lua_State* L, const MetadataEntry& entry) {
  std::visit([&](const auto& value) { push_value(L, value); }, entry.value);
}

MetadataValue metadata_at(lua_State* L, int index, const MetadataEntry& entry) {
  if (std::holds_alternative<std::string>(entry.value)) return std::string(check_string(L, index));
  if (std::holds_alternative<bool>(entry.value)) return check_boolean(L, index);
  if (std::holds_alternative<double>(entry.value)) return check_number(L, index);
  if (std::holds_alternative<MetadataArray>(entry.value)) {
    throw Error(ErrorKind::kSpec, "'" + printable(entry.key) + "' is a list, and lists stay");
  }
  const int64_t number = check_integer(L, index);
  const unsigned bits = 8 * info(entry.type).bytes;
  if (std::holds_alternative<int64_t>(entry.value)) {
    if (bits < 64 && number >> (bits - 1) != 0 && number >> (bits - 1) != -1) {
      argument_error(L, index, "a number that the type holds");
    }
    return number;
  }
  if (number < 0 || (bits < 64 && number >> bits != 0)) {
    argument_error(L, index, "a number that the type holds");
  }
  return static_cast<uint64_t>(number);
}

std::string metadata_type_name(const MetadataEntry& entry) {
  const auto* array = std::get_if<MetadataArray>(&entry.value);
  return array == nullptr ? std::string(info(entry.type).name)
                          : std::string(info(array->type).name) + "[]";
}

}  // namespace qspec::lua
