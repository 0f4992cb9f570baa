// host.system: all of the outside world that scripts of the standard library may touch.

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bindings/boundary.h"
#include "bindings/host/host.h"
#include "bindings/host/machine.h"
#include "bindings/host/modules.h"
#include "bindings/host/processes.h"
#include "bindings/host/signals.h"
#include "bindings/host/streams.h"
#include "engine/core/atomic_write.h"
#include "engine/core/file.h"
#include "engine/core/json.h"
#include "engine/core/sha256.h"
#include "engine/core/system_error.h"
#include "engine/core/timeline.h"

namespace qspec::lua {
namespace {

constexpr int64_t kMostBytes = int64_t{1} << 30;

void set_text(lua_State* L, const char* field, std::string_view text) {
  push(L, text);
  lua_setfield(L, -2, field);
}

std::string check_path(lua_State* L, int index) {
  return std::string(check_string(L, index));
}

void push_names(lua_State* L, const std::vector<std::string>& names) {
  lua_createtable(L, static_cast<int>(names.size()), 0);
  for (size_t i = 0; i < names.size(); ++i) {
    push(L, names[i]);
    lua_rawseti(L, -2, static_cast<int>(i) + 1);
  }
}

int version(lua_State* L) {
  lua_newtable(L);
  set_text(L, "qspec", QSPEC_VERSION);
  set_text(L, "compiler", __VERSION__);
  set_text(L, "luajit", std::string(LUAJIT_VERSION).substr(sizeof "LuaJIT"));
  set_text(L, "nlohmann",
           std::to_string(NLOHMANN_JSON_VERSION_MAJOR) + "." +
               std::to_string(NLOHMANN_JSON_VERSION_MINOR) + "." +
               std::to_string(NLOHMANN_JSON_VERSION_PATCH));
  return 1;
}

int home(lua_State* L) {
  push(L, Host::of(L).installation().home);
  return 1;
}

int program(lua_State* L) {
  push(L, Host::of(L).installation().program);
  return 1;
}

int clock_seconds(lua_State* L) {
  lua_pushnumber(L, monotonic_seconds());
  return 1;
}

int since_start(lua_State* L) {
  lua_pushnumber(L, seconds_since_start());
  return 1;
}

// system.add_span(name, began, ended)
int add_span_of(lua_State* L) {
  add_span(std::string(check_string(L, 1)), check_number(L, 2), check_number(L, 3));
  return 0;
}

// system.timeline() -> list of {name, began, seconds}
int timeline_of(lua_State* L) {
  lua_newtable(L);
  int position = 0;
  for (const Span& span : timeline()) {
    lua_createtable(L, 0, 3);
    set_text(L, "name", span.name);
    lua_pushnumber(L, span.began);
    lua_setfield(L, -2, "began");
    lua_pushnumber(L, span.seconds);
    lua_setfield(L, -2, "seconds");
    lua_rawseti(L, -2, ++position);
  }
  return 1;
}

int now(lua_State* L) {
  push(L, utc_time_now());
  return 1;
}

int env(lua_State* L) {
  lua_pushstring(L, std::getenv(check_path(L, 1).c_str()));
  return 1;
}

// system.list(folder) -> names, or nil, reason
int list(lua_State* L) {
  const Listing listing = list_folder(check_path(L, 1));
  if (listing.failure.empty()) {
    push_names(L, listing.names);
    return 1;
  }
  lua_pushnil(L);
  push(L, listing.failure);
  return 2;
}

int kind(lua_State* L) {
  const auto found = kind_of(check_path(L, 1));
  if (found) {
    push(L, *found);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

int absolute(lua_State* L) {
  push(L, std::filesystem::absolute(check_path(L, 1)).lexically_normal().string());
  return 1;
}

// system.read(path, max_bytes) -> text
int read_file(lua_State* L) {
  const std::string path = check_path(L, 1);
  const int64_t most = check_integer(L, 2);
  if (most < 0 || most > kMostBytes) argument_error(L, 2, "0 to 2^30 bytes");
  push(L, read_text_file(path, static_cast<uint64_t>(most)));
  return 1;
}

int write_atomic(lua_State* L) {
  const HeldInterrupts held;
  write_file_atomically(check_path(L, 1), check_string(L, 2));
  return 0;
}

// system.append(path, text)
int append(lua_State* L) {
  const HeldInterrupts held;
  append_to_file(check_path(L, 1), check_string(L, 2));
  return 0;
}

// The list of texts at `index`, at least one.
std::vector<std::string> check_words(lua_State* L, int index) {
  check_table(L, index);
  std::vector<std::string> words(lua_objlen(L, index));
  if (words.empty()) argument_error(L, 1, "lists of a program and its words");
  for (size_t i = 0; i < words.size(); ++i) {
    lua_rawgeti(L, index, static_cast<int>(i) + 1);
    words[i] = check_string(L, -1);
    lua_pop(L, 1);
  }
  return words;
}

// system.run_together(commands, on_line) -> codes, signals
int run_commands(lua_State* L) {
  check_table(L, 1);
  std::vector<std::vector<std::string>> commands(lua_objlen(L, 1));
  for (size_t i = 0; i < commands.size(); ++i) {
    lua_rawgeti(L, 1, static_cast<int>(i) + 1);
    commands[i] = check_words(L, lua_gettop(L));
    lua_pop(L, 1);
  }
  if (!lua_isfunction(L, 2)) argument_error(L, 2, "a function");
  const auto ended = run_together(commands, [L](size_t number, std::string_view line) {
    lua_pushvalue(L, 2);
    lua_pushinteger(L, static_cast<lua_Integer>(number) + 1);
    push(L, line);
    lua_call(L, 2, 0);
  });
  lua_newtable(L);
  lua_newtable(L);
  for (size_t i = 0; i < ended.size(); ++i) {
    lua_pushinteger(L, ended[i].code);
    lua_rawseti(L, -3, static_cast<int>(i) + 1);
    lua_pushinteger(L, ended[i].signal);
    lua_rawseti(L, -2, static_cast<int>(i) + 1);
  }
  return 2;
}

int make_folder(lua_State* L) {
  const std::string path(check_path(L, 1));
  std::error_code code;
  std::filesystem::create_directories(path, code);
  if (code) throw system_error("make the folder", path, code.value());
  return 0;
}

int write_stdout(lua_State* L) {
  write_stream(STDOUT_FILENO, check_string(L, 1));
  return 0;
}

int write_stderr(lua_State* L) {
  write_stream(STDERR_FILENO, check_string(L, 1));
  return 0;
}

// system.read_line() -> line, or nil
int next_line(lua_State* L) {
  const std::optional<std::string> line = read_line();
  if (line) {
    push(L, *line);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

int check_descriptor(lua_State* L, int index) {
  const int64_t descriptor = is_absent(L, index) ? STDOUT_FILENO : check_integer(L, index);
  if (descriptor < STDIN_FILENO || descriptor > STDERR_FILENO) {
    argument_error(L, index, "0 (standard input), 1 (standard output) or 2 (standard error)");
  }
  return static_cast<int>(descriptor);
}

int is_terminal(lua_State* L) {
  lua_pushboolean(L, isatty(check_descriptor(L, 1)));
  return 1;
}

int columns(lua_State* L) {
  lua_pushinteger(L, terminal_columns(check_descriptor(L, 1)));
  return 1;
}

int hash_file(lua_State* L) {
  push(L, sha256_file(check_path(L, 1)));
  return 1;
}

int hash_text(lua_State* L) {
  push(L, sha256_hex(check_string(L, 1)));
  return 1;
}

int cpus(lua_State* L) {
  lua_pushinteger(L, usable_cpus());
  return 1;
}

// system.memory() -> total bytes, available bytes
int memory(lua_State* L) {
  const MemorySize size = machine_memory();
  push_integer(L, static_cast<int64_t>(size.total));
  push_integer(L, static_cast<int64_t>(size.available));
  return 2;
}

int process_id(lua_State* L) {
  lua_pushinteger(L, getpid());
  return 1;
}

int loaded(lua_State* L) {
  lua_pushboolean(L, is_mapped(check_string(L, 1)));
  return 1;
}

// Names of the functions in the table on the top.
std::vector<std::string> function_names(lua_State* L) {
  std::vector<std::string> names;
  for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
    if (lua_isfunction(L, -1) && lua_type(L, -2) == LUA_TSTRING) {
      names.emplace_back(lua_tostring(L, -2));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Whether the value on the top is the metatable of a userdata type.
bool is_type(lua_State* L) {
  if (!lua_istable(L, -1)) return false;
  lua_getfield(L, -1, "__gc");
  const bool collected = lua_isfunction(L, -1);
  lua_pop(L, 1);
  return collected;
}

std::vector<std::string> type_names(lua_State* L) {
  std::vector<std::string> names;
  for (lua_pushnil(L); lua_next(L, LUA_REGISTRYINDEX) != 0; lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || !is_type(L)) continue;
    const std::string name(check_string(L, -2));
    if (name.starts_with("qspec.")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Pushes the table of a loaded module's functions or a type's methods, or what is no table.
void push_registered(lua_State* L, const char* name) {
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  lua_getfield(L, -1, name);
  if (lua_istable(L, -1)) return;
  luaL_getmetatable(L, name);
  if (is_type(L)) lua_getfield(L, -1, "__index");
}

// system.registered("qspec.Tensor" | "host.tensor") -> names of methods or functions, or nil;
// system.registered() -> names of types
int registered(lua_State* L) {
  if (is_absent(L, 1)) {
    push_names(L, type_names(L));
    return 1;
  }
  push_registered(L, std::string(check_string(L, 1)).c_str());
  if (lua_istable(L, -1)) {
    push_names(L, function_names(L));
  } else {
    lua_pushnil(L);
  }
  return 1;
}

constexpr luaL_Reg kFunctions[] = {{"version", guard<version>},
                                   {"home", guard<home>},
                                   {"program", guard<program>},
                                   {"clock", guard<clock_seconds>},
                                   {"since_start", guard<since_start>},
                                   {"add_span", guard<add_span_of>},
                                   {"timeline", guard<timeline_of>},
                                   {"now", guard<now>},
                                   {"env", guard<env>},
                                   {"list", guard<list>},
                                   {"kind", guard<kind>},
                                   {"absolute", guard<absolute>},
                                   {"read", guard<read_file>},
                                   {"write_atomic", guard<write_atomic>},
                                   {"append", guard<append>},
                                   {"run_together", guard<run_commands>},
                                   {"make_folder", guard<make_folder>},
                                   {"stdout", guard<write_stdout>},
                                   {"stderr", guard<write_stderr>},
                                   {"read_line", guard<next_line>},
                                   {"isatty", guard<is_terminal>},
                                   {"columns", guard<columns>},
                                   {"sha256_file", guard<hash_file>},
                                   {"sha256", guard<hash_text>},
                                   {"cpus", guard<cpus>},
                                   {"memory", guard<memory>},
                                   {"pid", guard<process_id>},
                                   {"loaded", guard<loaded>},
                                   {"registered", guard<registered>},
                                   {nullptr, nullptr}};

}  // namespace
}  // namespace qspec::lua

int luaopen_host_system(lua_State* L) {
  qspec::lua::push_functions(L, "system", qspec::lua::kFunctions);
  return 1;
}
