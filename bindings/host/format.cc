#include "bindings/host/format.h"

#include <string>
#include <string_view>

#include "bindings/boundary.h"
#include "bindings/host/charged.h"
#include "bindings/host/shown.h"

namespace qspec::lua {
namespace {

constexpr std::string_view kModifiers = "-+ #0123456789.";

// Upvalues: name, Lua's own string.format.
int format(lua_State* L) {
  const std::string_view text = check_text(L, 1);
  charge_bytes(L, text.size());
  int argument = 1;
  for (size_t at = text.find('%'); at < text.size(); at = text.find('%', at)) {
    at = text.find_first_not_of(kModifiers, at + 1);
    if (at == std::string_view::npos) break;
    const char conversion = text[at++];
    if (conversion == '%') continue;
    ++argument;
    if (conversion == 'p') throw Error(ErrorKind::kSpec, "'%p' is no conversion here");
    if (conversion == 's' && argument <= lua_gettop(L)) replace_by_shown(L, argument);
  }
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

}  // namespace

void push_format(lua_State* L) {
  lua_pushliteral(L, "string.format");
  lua_insert(L, -2);
  lua_pushcclosure(L, translate<format>, 2);
}

}  // namespace qspec::lua
