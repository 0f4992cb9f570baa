#include "bindings/value.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_set>
#include <vector>

#include "bindings/boundary.h"

namespace qspec::lua {
namespace {

constexpr const char* kNull = "qspec.json.null";
constexpr const char* kOrders = "qspec.json.orders";  // table -> its keys in order, or true: array
constexpr double kLargestExact = 9007199254740992.0;  // 2^53

int absolute(lua_State* L, int index) {
  return index > 0 || index <= LUA_REGISTRYINDEX ? index : lua_gettop(L) + index + 1;
}

void refuse_depth(int depth, ErrorKind kind) {
  if (depth > kMaxJsonDepth) {
    throw Error(kind, "a value is nested deeper than " + std::to_string(kMaxJsonDepth) + " levels")
        .hint("does a table hold itself?");
  }
}

// Remembers the value on the top, popped, as the order of the table at `table`.
void set_order(lua_State* L, int table) {
  table = absolute(L, table);
  lua_getfield(L, LUA_REGISTRYINDEX, kOrders);
  lua_insert(L, -2);
  lua_pushvalue(L, table);
  lua_insert(L, -2);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

// Pushes the order of the table at `index`: a list, true, or nil.
void push_order(lua_State* L, int index) {
  index = absolute(L, index);
  lua_getfield(L, LUA_REGISTRYINDEX, kOrders);
  lua_pushvalue(L, index);
  lua_rawget(L, -2);
  lua_remove(L, -2);
}

// Whether the keys of the table at `index` are 1 to n and nothing else, n > 0.
bool is_sequence(lua_State* L, int index) {
  index = absolute(L, index);
  const size_t length = lua_objlen(L, index);
  if (length == 0) return false;
  size_t count = 0;
  for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
    ++count;
    if (lua_type(L, -2) != LUA_TNUMBER || count > length) {
      lua_pop(L, 2);
      return false;
    }
  }
  return count == length;
}

bool is_exact(const Json& json) {
  if (json.is_number_unsigned()) return json.get_ref<const uint64_t&>() <= 1ull << 53;
  return json.get_ref<const int64_t&>() >= -(int64_t{1} << 53);  // the unsigned are those above
}

double number_of(const Json& json) {
  if (json.is_number_unsigned()) return static_cast<double>(json.get_ref<const uint64_t&>());
  if (json.is_number_integer()) return static_cast<double>(json.get_ref<const int64_t&>());
  return json.get_ref<const double&>();
}

void push_leaf(lua_State* L, const Json& json) {
  if (json.is_null()) {
    push_json_null(L);
  } else if (json.is_boolean()) {
    lua_pushboolean(L, json.get_ref<const bool&>());
  } else if (json.is_string()) {
    push(L, json.get_ref<const std::string&>());
  } else {
    lua_pushnumber(L, number_of(json));
  }
}

void push_leaf_kind(lua_State* L, const Json& json) {
  if (json.is_null()) {
    lua_pushliteral(L, "null");
  } else if (json.is_boolean()) {
    lua_pushliteral(L, "boolean");
  } else if (json.is_string()) {
    lua_pushliteral(L, "string");
  } else if (json.is_number_float()) {
    lua_pushliteral(L, "float");
  } else {
    push(L, is_exact(json) ? "integer" : "inexact");
  }
}

using PushLeaf = void (*)(lua_State*, const Json&);

void push_tree(lua_State* L, const Json& json, PushLeaf leaf, int depth);

void push_array(lua_State* L, const Json& json, PushLeaf leaf, int depth) {
  lua_createtable(L, static_cast<int>(std::min<size_t>(json.size(), 1 << 20)), 0);
  int position = 0;
  for (const Json& child : json) {
    push_tree(L, child, leaf, depth + 1);
    lua_rawseti(L, -2, ++position);
  }
  mark_json_array(L, -1);
}

void push_object(lua_State* L, const Json& json, PushLeaf leaf, int depth) {
  lua_newtable(L);
  lua_newtable(L);
  int position = 0;
  for (const auto& [key, child] : json.get_ref<const Json::object_t&>()) {
    push(L, key);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, ++position);
    push_tree(L, child, leaf, depth + 1);
    lua_rawset(L, -4);
  }
  set_order(L, -2);
}

void push_tree(lua_State* L, const Json& json, PushLeaf leaf, int depth) {
  refuse_depth(depth, ErrorKind::kCheckpoint);
  luaL_checkstack(L, 8, "nested too deep");
  if (json.is_array()) return push_array(L, json, leaf, depth);
  if (json.is_object()) return push_object(L, json, leaf, depth);
  leaf(L, json);
}

// Reads the tree under a Lua value, with the keys and indexes that lead to where it is.
class Reader {
 public:
  Reader(lua_State* L, bool sort) : L_(L), sort_(sort) {}

  // The value at `index`; `kinds` is the stack index of its kind, 0 for none.
  Json read(int index, int kinds) {
    switch (lua_type(L_, index)) {
      case LUA_TBOOLEAN:
        return lua_toboolean(L_, index) != 0;
      case LUA_TNUMBER:
        return number(lua_tonumber(L_, index), kinds);
      case LUA_TSTRING:
        return std::string(check_string(L_, index));
      case LUA_TTABLE:
        return table(index, kinds);
      default:
        if (is_json_null(L_, index)) return nullptr;
        throw Error(ErrorKind::kSpec, std::string("JSON cannot hold a ") +
                                          luaL_typename(L_, index) + ", found at " + place());
    }
  }

 private:
  std::string place() const {
    std::string text = "value";
    for (const std::string& step : path_) text += step;
    return text;
  }

  Json number(double value, int kinds) const {
    const bool stays_float =
        kinds != 0 && lua_type(L_, kinds) == LUA_TSTRING && check_string(L_, kinds) == "float";
    const bool whole = std::floor(value) == value && std::fabs(value) <= kLargestExact;
    if (stays_float || !whole || (value == 0 && std::signbit(value))) return value;
    return static_cast<int64_t>(value);
  }

  Json table(int index, int kinds) {
    refuse_depth(static_cast<int>(path_.size()), ErrorKind::kSpec);
    luaL_checkstack(L_, 10, "nested too deep");
    return is_json_array(L_, index) ? array(index, kinds) : object(index, kinds);
  }

  // The child whose key is on the top, popped, of the table at `index`.
  Json child(int index, int kinds, std::string step) {
    lua_pushvalue(L_, -1);
    if (kinds != 0 && lua_istable(L_, kinds)) {
      lua_rawget(L_, kinds);
    } else {
      lua_pop(L_, 1);
      lua_pushnil(L_);
    }
    lua_insert(L_, -2);
    lua_rawget(L_, index);
    path_.push_back(std::move(step));
    const int top = lua_gettop(L_);
    Json value = read(top, lua_isnil(L_, top - 1) ? 0 : top - 1);
    path_.pop_back();
    lua_pop(L_, 2);
    return value;
  }

  Json array(int index, int kinds) {
    Json result = Json::array();
    const int length = static_cast<int>(lua_objlen(L_, index));
    for (int i = 1; i <= length; ++i) {
      lua_pushinteger(L_, i);
      result.push_back(child(index, kinds, "[" + std::to_string(i) + "]"));
    }
    return result;
  }

  Json object(int index, int kinds) {
    refuse_other_keys(index);
    push_json_keys(L_, index, sort_);
    const int keys = lua_gettop(L_);
    Json result = Json::object();
    Json::object_t::Container& members = result.get_ref<Json::object_t&>();
    const int count = static_cast<int>(lua_objlen(L_, keys));
    for (int i = 1; i <= count; ++i) {
      lua_rawgeti(L_, keys, i);
      std::string key(check_string(L_, -1));
      Json value = child(index, kinds, "." + printable(key));
      members.emplace_back(std::move(key), std::move(value));
    }
    lua_pop(L_, 1);
    return result;
  }

  void refuse_other_keys(int index) {
    for (lua_pushnil(L_); lua_next(L_, index) != 0; lua_pop(L_, 1)) {
      if (lua_type(L_, -2) == LUA_TSTRING) continue;
      throw Error(ErrorKind::kSpec, "an object of JSON has only text keys, found a " +
                                        std::string(luaL_typename(L_, -2)) + " key in " + place())
          .hint("a list has items 1 to n and no other key");
    }
  }

  lua_State* L_;
  bool sort_;
  std::vector<std::string> path_;
};

// Keys of the object at `index` in remembered order, those that are still there.
std::vector<std::string> remembered_keys(lua_State* L, int index) {
  std::vector<std::string> keys;
  push_order(L, index);
  const int order = lua_gettop(L);
  const int count = lua_istable(L, order) ? static_cast<int>(lua_objlen(L, order)) : 0;
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(L, order, i);
    lua_pushvalue(L, -1);
    lua_rawget(L, index);
    if (!lua_isnil(L, -1)) keys.emplace_back(check_string(L, -2));
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
  return keys;
}

int null_to_string(lua_State* L) {
  lua_pushliteral(L, "null");
  return 1;
}

}  // namespace

void register_json_values(lua_State* L) {
  lua_newuserdata(L, 0);
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, null_to_string);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "null");
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_setfield(L, LUA_REGISTRYINDEX, kNull);

  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_setfield(L, LUA_REGISTRYINDEX, kOrders);
}

void push_json(lua_State* L, const Json& json) {
  push_tree(L, json, push_leaf, 0);
}

void push_json_kinds(lua_State* L, const Json& json) {
  push_tree(L, json, push_leaf_kind, 0);
}

Json json_at(lua_State* L, int index, const JsonStyle& style) {
  const int kinds = style.kinds == 0 ? 0 : absolute(L, style.kinds);
  return Reader(L, style.sort).read(absolute(L, index), kinds);
}

void push_json_null(lua_State* L) {
  lua_getfield(L, LUA_REGISTRYINDEX, kNull);
}

bool is_json_null(lua_State* L, int index) {
  index = absolute(L, index);
  push_json_null(L);
  const bool same = lua_rawequal(L, index, -1) != 0;
  lua_pop(L, 1);
  return same;
}

bool is_json_array(lua_State* L, int index) {
  push_order(L, index);
  const bool marked = lua_toboolean(L, -1) != 0;
  const bool array = marked && !lua_istable(L, -1);
  lua_pop(L, 1);
  return marked ? array : is_sequence(L, index);
}

void mark_json_array(lua_State* L, int index) {
  index = absolute(L, index);
  lua_pushboolean(L, 1);
  set_order(L, index);
}

void push_json_keys(lua_State* L, int index, bool sort) {
  index = absolute(L, index);
  std::vector<std::string> keys = remembered_keys(L, index);
  const std::unordered_set<std::string> known(keys.begin(), keys.end());
  const auto remembered = static_cast<std::ptrdiff_t>(keys.size());
  for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING) continue;
    std::string key(check_string(L, -2));
    if (!known.contains(key)) keys.push_back(std::move(key));
  }
  std::sort(sort ? keys.begin() : keys.begin() + remembered, keys.end());
  lua_createtable(L, static_cast<int>(keys.size()), 0);
  for (size_t i = 0; i < keys.size(); ++i) {
    push(L, keys[i]);
    lua_rawseti(L, -2, static_cast<int>(i) + 1);
  }
}

}  // namespace qspec::lua
