#pragma once

#include <string>
#include <string_view>

#include "bindings/value.h"
#include "engine/checkpoint/checkpoint.h"
#include "tests/fuzz/readers.h"

namespace qspec::test {

// A Lua state that can hold JSON, closed with everything in it.
class JsonState {
 public:
  JsonState() : L_(luaL_newstate()) { lua::register_json_values(L_); }
  ~JsonState() { lua_close(L_); }
  JsonState(const JsonState&) = delete;
  JsonState& operator=(const JsonState&) = delete;

  lua_State* get() const { return L_; }

 private:
  lua_State* L_;
};

inline bool holds_inexact(const Json& json) {
  if (json.is_number_unsigned()) return json.get<uint64_t>() > uint64_t{1} << 53;
  if (json.is_number_integer()) return json.get<int64_t>() < -(int64_t{1} << 53);
  if (!json.is_structured()) return false;
  return std::any_of(json.begin(), json.end(), holds_inexact);
}

// The same table as a script would have built it: nothing is remembered of its order, of empty
// lists and of null.
inline void forget_and_write(lua_State* L) try {
  lua::register_json_values(L);
  lua::json_at(L, 1);
} catch (const Error& error) {
  require(error.kind() == ErrorKind::kSpec, "an error that does not blame the script");
}

// What host.json does between a file and a spec: the text becomes Lua values and their kinds, and
// both together give the text back, numbers beyond 2^53 apart.
inline void exercise_config(std::string_view text) try {
  const Json json = parse_json(text, "config.json", small_limits());
  const JsonState state;
  lua::push_json(state.get(), json);
  lua::push_json_kinds(state.get(), json);
  lua::JsonStyle style;
  style.kinds = 2;
  const Json back = lua::json_at(state.get(), 1, style);
  require(holds_inexact(json) || back == json, "a value changed on the way through Lua");
  forget_and_write(state.get());
} catch (const Error& error) {
  check_error(error);
}

// What is read of a quantization state, the JSON text in a tensor's bytes.
inline void exercise_quant_state(std::string_view bytes) try {
  static const std::string kName = "w.quant_state.bitsandbytes__nf4";
  const auto overlay = Overlay::over(nullptr);
  const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
  overlay->put(kName, Dtype::kU8, {bytes.size()}, {first, first + bytes.size()});
  const TensorEntry* entry = overlay->find(kName);
  require(entry != nullptr && entry->bytes == bytes.size(), "a tensor of another size");
  std::string text(entry->bytes, '\0');
  overlay->read(*entry, 0, std::as_writable_bytes(std::span(text)));
  require(text == bytes, "bytes changed on the way through a checkpoint");
  const Json state = parse_json(text, "quant_state", small_limits());
  const JsonState lua_state;
  lua::push_json(lua_state.get(), state);
  if (state.is_object()) lua::push_json_keys(lua_state.get(), 1, true);
} catch (const Error& error) {
  check_error(error);
}

}  // namespace qspec::test
