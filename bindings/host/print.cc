#include "bindings/host/print.h"

#include <unistd.h>

#include <string>

#include "bindings/boundary.h"
#include "bindings/host/shown.h"
#include "bindings/host/streams.h"

namespace qspec::lua {
namespace {

std::string shown_arguments(lua_State* L) {
  std::string text;
  const int count = lua_gettop(L);
  for (int i = 1; i <= count; ++i) {
    push_shown(L, i);
    text += i > 1 ? "\t" : "";
    text += check_string(L, -1);
    lua_pop(L, 1);
  }
  return text;
}

int print(lua_State* L) {
  write_stream(STDOUT_FILENO, shown_arguments(L) + "\n");
  return 0;
}

// Escape sequences must not reach the terminal; line ends and tabs may.
std::string harmless(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F) c = '?';
  }
  return text;
}

// Upvalues: name, the function to call or nil, bytes so far.
int print_confined(lua_State* L) {
  const std::string text = harmless(shown_arguments(L));
  const double total = lua_tonumber(L, lua_upvalueindex(3)) + static_cast<double>(text.size()) + 1;
  if (total > kMostPrintedBytes) throw Error(ErrorKind::kSpec, "print wrote more than 1 MiB");
  lua_pushnumber(L, total);
  lua_replace(L, lua_upvalueindex(3));
  if (lua_isnil(L, lua_upvalueindex(2))) {
    write_stream(STDERR_FILENO, text + "\n");
    return 0;
  }
  lua_pushvalue(L, lua_upvalueindex(2));
  push(L, text);
  lua_call(L, 1, 0);
  return 0;
}

}  // namespace

void open_print(lua_State* L) {
  lua_pushcfunction(L, translate<print>);
  lua_setglobal(L, "print");
}

void push_confined_print(lua_State* L, int print_to) {
  lua_pushliteral(L, "print");
  if (print_to == 0) {
    lua_pushnil(L);
  } else {
    lua_pushvalue(L, print_to);
  }
  lua_pushnumber(L, 0);
  lua_pushcclosure(L, translate<print_confined>, 3);
}

}  // namespace qspec::lua
