#pragma once

// The walls between C++ and Lua, in one page. See bindings/README.md for why they stand.

#include <cstdint>
#include <limits>
#include <lua.hpp>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "engine/core/error.h"

namespace qspec::lua {

// Pushes {kind, message, where, hint} with a __tostring; what the stdlib gets from pcall.
void push_error(lua_State* L, const Error& error);

// The scope of a bound function: what it takes is the engine's time, which the time limit of a spec
// (host/confinement.h) leaves out.
class EngineTime {
 public:
  struct Clock {
    int depth = 0;
    double began = 0;
    double total = 0;  // seconds in bound functions so far, those of running ones excepted
    bool running = false;
  };
  static Clock& clock();  // runs while a spec is confined

  EngineTime();
  ~EngineTime();
  EngineTime(const EngineTime&) = delete;
  EngineTime& operator=(const EngineTime&) = delete;
};

// Seconds on a clock that only goes forward.
double monotonic_seconds();

// The scope of any C function: Lua code that it calls may call the next one, and the C stack ends
// long before Lua's does. Throws Error(kSpec) when more than kMost are on it.
class NestedCall {
 public:
  static constexpr int kMost = 200;

  NestedCall();
  ~NestedCall();
  NestedCall(const NestedCall&) = delete;
  NestedCall& operator=(const NestedCall&) = delete;
};

// Runs `body` with C++ exceptions turned into Lua errors. Lua's own errors pass through: a
// catch (...) would swallow them. The Lua error is raised after the handler has been left, so that
// no exception is in flight when the stack unwinds.
template <lua_CFunction body>
int translate(lua_State* L) {
  try {
    const NestedCall nested;
    return body(L);
  } catch (const Error& error) {
    push_error(L, error);
  } catch (const std::bad_alloc&) {
    push_error(L, Error(ErrorKind::kDevice, "out of memory"));
  } catch (const std::exception& error) {
    push_error(L, Error(ErrorKind::kInternal, error.what()));
  }
  return lua_error(L);
}

// How every function of the engine is bound.
template <lua_CFunction body>
int guard(lua_State* L) {
  const EngineTime time;
  return translate<body>(L);
}

// Pushes a table of functions that know their names ("json.decode"): under pcall LuaJIT cannot
// infer them, and the arguments' errors below say which function they speak of.
void push_functions(lua_State* L, const char* module, const luaL_Reg* functions);

// Arguments. Each throws an Error that names the function.
[[noreturn]] void argument_error(lua_State* L, int index, const char* wanted);
std::string_view check_string(lua_State* L, int index);
double check_number(lua_State* L, int index);
int64_t check_integer(lua_State* L, int index);  // refuses fractions and |x| > 2^53
bool check_boolean(lua_State* L, int index);
void check_table(lua_State* L, int index);
bool is_absent(lua_State* L, int index);  // none or nil

inline void push(lua_State* L, std::string_view text) {
  lua_pushlstring(L, text.data(), text.size());
}
// Raises when the value has no exact double.
void push_integer(lua_State* L, int64_t value);

// A userdata that holds one T by value. `T::kLuaName` is its type name. Released once, by
// obj:release() or the collector, whichever comes first.
template <class T>
struct Handle {
  T value;
  bool released = false;
};

template <class T>
T& push_handle(lua_State* L, T value) {
  luaL_getmetatable(L, T::kLuaName);  // first: nothing may raise once the T is in Lua's memory
  void* memory = lua_newuserdata(L, sizeof(Handle<T>));
  auto* handle = new (memory) Handle<T>{std::move(value)};
  lua_insert(L, -2);
  lua_setmetatable(L, -2);
  return handle->value;
}

// nullptr when the value at `index` is not a T.
template <class T>
Handle<T>* handle_at(lua_State* L, int index) {
  void* memory = lua_touserdata(L, index);
  if (memory == nullptr || !lua_getmetatable(L, index)) return nullptr;
  luaL_getmetatable(L, T::kLuaName);
  const bool same = lua_rawequal(L, -1, -2) != 0;
  lua_pop(L, 2);
  return same ? static_cast<Handle<T>*>(memory) : nullptr;
}

// nullptr when the value at `index` is not a live T.
template <class T>
T* test_handle(lua_State* L, int index) {
  Handle<T>* handle = handle_at<T>(L, index);
  return handle != nullptr && !handle->released ? &handle->value : nullptr;
}

template <class T>
T& check_handle(lua_State* L, int index) {
  Handle<T>* handle = handle_at<T>(L, index);
  if (handle == nullptr) argument_error(L, index, T::kLuaName);
  if (handle->released) {
    throw Error(ErrorKind::kSpec, std::string(T::kLuaName) + " was released");
  }
  return handle->value;
}

template <class T>
int release_handle(lua_State* L) {
  Handle<T>* handle = handle_at<T>(L, 1);
  if (handle != nullptr && !handle->released) {
    handle->released = true;
    handle->value.~T();
  }
  return 0;
}

// Registers T's metatable: methods by name, locked against getmetatable, with release and __gc.
// `metamethods` may be null; both lists end with {nullptr, nullptr}.
void register_type(lua_State* L, const char* name, const luaL_Reg* methods,
                   const luaL_Reg* metamethods, lua_CFunction release);

}  // namespace qspec::lua
