// host.text: tokenizers, and regular expressions over names.

#include <memory>
#include <string>
#include <vector>

#include "bindings/boundary.h"
#include "engine/text/regex.h"
#include "engine/text/tokenizer.h"

namespace qspec::lua {
namespace {

struct TokenizerHandle {
  static constexpr const char* kLuaName = "qspec.Tokenizer";
  std::shared_ptr<const Tokenizer> tokenizer;
};

struct RegexHandle {
  static constexpr const char* kLuaName = "qspec.Regex";
  std::shared_ptr<const Regex> regex;
};

const Tokenizer& check_tokenizer(lua_State* L) {
  return *check_handle<TokenizerHandle>(L, 1).tokenizer;
}

int32_t check_token_id(lua_State* L, int index) {
  const int64_t id = check_integer(L, index);
  if (id < 0 || id > std::numeric_limits<int32_t>::max()) {
    argument_error(L, index, "a token id: a whole number from 0 to 2147483647");
  }
  return static_cast<int32_t>(id);
}

std::vector<int32_t> check_ids(lua_State* L, int index) {
  check_table(L, index);
  std::vector<int32_t> ids;
  const size_t count = lua_objlen(L, index);
  for (size_t i = 1; i <= count; ++i) {
    lua_rawgeti(L, index, static_cast<int>(i));
    ids.push_back(check_token_id(L, lua_gettop(L)));
    lua_pop(L, 1);
  }
  return ids;
}

void push_ids(lua_State* L, const std::vector<int32_t>& ids) {
  lua_createtable(L, static_cast<int>(ids.size()), 0);
  for (size_t i = 0; i < ids.size(); ++i) {
    lua_pushinteger(L, ids[i]);
    lua_rawseti(L, -2, static_cast<int>(i + 1));
  }
}

// text.tokenizer(path) -> Tokenizer
int tokenizer(lua_State* L) {
  push_handle(L, TokenizerHandle{Tokenizer::from_file(std::string(check_string(L, 1)))});
  return 1;
}

// text.tokenizer_of(json, where) -> Tokenizer
int tokenizer_of(lua_State* L) {
  const std::string where(check_string(L, 2));
  const std::string_view text = check_string(L, 1);
  push_handle(L, TokenizerHandle{Tokenizer::from_text(text, where)});
  return 1;
}

// text.regex(pattern) -> Regex
int regex(lua_State* L) {
  std::string pattern(check_string(L, 1));
  push_handle(L, RegexHandle{std::make_shared<Regex>(std::move(pattern), Regex::Syntax::kPython)});
  return 1;
}

// tokenizer:encode(text [, add_special_tokens]) -> ids
int encode(lua_State* L) {
  const Tokenizer& tokenizer = check_tokenizer(L);
  const std::string_view text = check_string(L, 2);
  const bool add_special_tokens = is_absent(L, 3) || check_boolean(L, 3);
  push_ids(L, tokenizer.encode(text, add_special_tokens));
  return 1;
}

// tokenizer:decode(ids [, skip_special_tokens]) -> text
int decode(lua_State* L) {
  const Tokenizer& tokenizer = check_tokenizer(L);
  const std::vector<int32_t> ids = check_ids(L, 2);
  const bool skip_special_tokens = !is_absent(L, 3) && check_boolean(L, 3);
  push(L, tokenizer.decode(ids, skip_special_tokens));
  return 1;
}

int vocab_size(lua_State* L) {
  push_integer(L, static_cast<int64_t>(check_tokenizer(L).vocab_size()));
  return 1;
}

int id(lua_State* L) {
  const std::optional<int32_t> id = check_tokenizer(L).id_of(check_string(L, 2));
  if (id) {
    lua_pushinteger(L, *id);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

int token(lua_State* L) {
  const std::optional<std::string> token = check_tokenizer(L).token_of(check_token_id(L, 2));
  if (token) {
    push(L, *token);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

int matches_start(lua_State* L) {
  const Regex& regex = *check_handle<RegexHandle>(L, 1).regex;
  lua_pushboolean(L, regex.matches_start(check_string(L, 2)));
  return 1;
}

constexpr luaL_Reg kFunctions[] = {{"tokenizer", guard<tokenizer>},
                                   {"tokenizer_of", guard<tokenizer_of>},
                                   {"regex", guard<regex>},
                                   {nullptr, nullptr}};

constexpr luaL_Reg kTokenizerMethods[] = {
    {"encode", guard<encode>}, {"decode", guard<decode>}, {"vocab_size", guard<vocab_size>},
    {"id", guard<id>},         {"token", guard<token>},   {nullptr, nullptr}};

constexpr luaL_Reg kRegexMethods[] = {{"matches_start", guard<matches_start>}, {nullptr, nullptr}};

}  // namespace
}  // namespace qspec::lua

extern "C" int luaopen_host_text(lua_State* L) {
  using namespace qspec::lua;
  register_type(L, TokenizerHandle::kLuaName, kTokenizerMethods, nullptr,
                release_handle<TokenizerHandle>);
  register_type(L, RegexHandle::kLuaName, kRegexMethods, nullptr, release_handle<RegexHandle>);
  push_functions(L, "text", kFunctions);
  return 1;
}
