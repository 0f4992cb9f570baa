// host.checkpoint: the tensors of a model as they are stored; headers only until bytes are asked
// for.

#include "bindings/boundary.h"
#include "bindings/checkpoint_handle.h"
#include "bindings/host/metadata_value.h"
#include "bindings/host/modules.h"
#include "engine/checkpoint/tensor_hashes.h"

namespace qspec::lua {
namespace {

constexpr uint64_t kDefaultBytes = 1u << 20;
constexpr uint64_t kMostBytes = 1u << 30;

Checkpoint& check_checkpoint(lua_State* L) {
  return *check_handle<CheckpointHandle>(L, 1).checkpoint;
}

Overlay& check_overlay(lua_State* L) {
  auto* overlay = dynamic_cast<Overlay*>(&check_checkpoint(L));
  if (overlay == nullptr) {
    throw Error(ErrorKind::kSpec, "a checkpoint on disk is not changed")
        .hint("checkpoint:overlay() makes one that is");
  }
  return *overlay;
}

void set_text(lua_State* L, const char* field, std::string_view text) {
  push(L, text);
  lua_setfield(L, -2, field);
}

void set_integer(lua_State* L, const char* field, uint64_t value) {
  push_integer(L, static_cast<int64_t>(value));
  lua_setfield(L, -2, field);
}

// checkpoint.open(path) -> Checkpoint
int open(lua_State* L) {
  push_handle(L, CheckpointHandle{Checkpoint::open(std::string(check_string(L, 1)))});
  return 1;
}

int path(lua_State* L) {
  push(L, check_checkpoint(L).path());
  return 1;
}

void push_file(lua_State* L, const CheckpointFile& file) {
  lua_createtable(L, 0, 4);
  set_text(L, "path", file.path);
  set_integer(L, "size", file.size);
  set_integer(L, "header_bytes", file.header_bytes);
  lua_createtable(L, 0, static_cast<int>(file.metadata.size()));
  for (const auto& [key, value] : file.metadata) {
    push(L, key);
    push(L, value);
    lua_rawset(L, -3);
  }
  lua_setfield(L, -2, "metadata");
}

int files(lua_State* L) {
  lua_newtable(L);
  int position = 0;
  for (const CheckpointFile& file : check_checkpoint(L).files()) {
    push_file(L, file);
    lua_rawseti(L, -2, ++position);
  }
  return 1;
}

// Makes the tables of entries. Its keys, and the path of the file at hand, lie on the stack from
// its making on: as C text each would be hashed and looked up again for every entry.
class EntryTables {
 public:
  EntryTables(lua_State* L, const Checkpoint& checkpoint)
      : L_(L), checkpoint_(checkpoint), keys_(lua_gettop(L) + 1), path_(keys_ + kKeyCount) {
    luaL_checkstack(L, 2 * kKeyCount, "too many values");
    for (const char* key : {"name", "dtype", "torch_dtype", "bytes", "file", "offset", "shape"}) {
      lua_pushstring(L, key);
    }
    lua_pushnil(L);
  }

  void push(const TensorEntry& entry) {
    const DtypeInfo& dtype = info(entry.dtype);
    lua_createtable(L_, 0, kKeyCount);
    set_text(kName, entry.name);
    set_text(kDtype, dtype.stored_name);
    set_text(kTorchDtype, dtype.torch_name);
    set_integer(kBytes, entry.bytes);
    if (entry.file != kInMemory) {
      set_path(entry.file);
      set_integer(kOffset, entry.offset);
    }
    set_shape(entry.shape);
  }

 private:
  enum Key { kName, kDtype, kTorchDtype, kBytes, kFile, kOffset, kShape, kKeyCount };

  void set_text(Key key, std::string_view text) {
    lua_pushvalue(L_, keys_ + key);
    lua::push(L_, text);
    lua_rawset(L_, -3);
  }

  void set_integer(Key key, uint64_t value) {
    lua_pushvalue(L_, keys_ + key);
    push_integer(L_, static_cast<int64_t>(value));
    lua_rawset(L_, -3);
  }

  void set_path(uint32_t file) {
    if (file != file_) {
      lua::push(L_, checkpoint_.files()[file].path);
      lua_replace(L_, path_);
      file_ = file;
    }
    lua_pushvalue(L_, keys_ + kFile);
    lua_pushvalue(L_, path_);
    lua_rawset(L_, -3);
  }

  void set_shape(const std::vector<uint64_t>& shape) {
    lua_pushvalue(L_, keys_ + kShape);
    lua_createtable(L_, static_cast<int>(shape.size()), 0);
    for (size_t i = 0; i < shape.size(); ++i) {
      push_integer(L_, static_cast<int64_t>(shape[i]));
      lua_rawseti(L_, -2, static_cast<int>(i) + 1);
    }
    lua_rawset(L_, -3);
  }

  lua_State* L_;
  const Checkpoint& checkpoint_;
  int keys_;  // stack index of the first
  int path_;  // stack index
  uint32_t file_ = kInMemory;
};

// While it lives, nothing is collected: of a long list that is being made, nothing is garbage.
class PausedCollector {
 public:
  explicit PausedCollector(lua_State* L) : L_(L) { lua_gc(L, LUA_GCSTOP, 0); }
  ~PausedCollector() { lua_gc(L_, LUA_GCRESTART, 0); }
  PausedCollector(const PausedCollector&) = delete;
  PausedCollector& operator=(const PausedCollector&) = delete;

 private:
  lua_State* L_;
};

int tensors(lua_State* L) {
  const Checkpoint& checkpoint = check_checkpoint(L);
  const PausedCollector paused(L);
  lua_createtable(L, static_cast<int>(checkpoint.tensors().size()), 0);
  const int list = lua_gettop(L);
  EntryTables tables(L, checkpoint);
  int position = 0;
  for (const TensorEntry& entry : checkpoint.tensors()) {
    tables.push(entry);
    lua_rawseti(L, list, ++position);
  }
  lua_settop(L, list);
  return 1;
}

// checkpoint:find(name) -> entry or nil
int find(lua_State* L) {
  const Checkpoint& checkpoint = check_checkpoint(L);
  const TensorEntry* entry = checkpoint.find(check_string(L, 2));
  if (entry == nullptr) {
    lua_pushnil(L);
  } else {
    EntryTables(L, checkpoint).push(*entry);
  }
  return 1;
}

int problems(lua_State* L) {
  lua_newtable(L);
  int position = 0;
  for (const CheckpointProblem& problem : check_checkpoint(L).problems()) {
    lua_createtable(L, 0, 4);
    set_text(L, "kind", problem.kind);
    set_text(L, "key", problem.key);
    set_text(L, "found", problem.found);
    set_text(L, "wanted", problem.wanted);
    lua_rawseti(L, -2, ++position);
  }
  return 1;
}

// checkpoint:metadata(key) -> value, type; or nil
int metadata(lua_State* L) {
  const std::string_view key = check_string(L, 2);
  for (const CheckpointFile& file : check_checkpoint(L).files()) {
    const MetadataEntry* entry = find_metadata(file.values, key);
    if (entry == nullptr) continue;
    push_metadata(L, *entry);
    push(L, metadata_type_name(*entry));
    return 2;
  }
  lua_pushnil(L);
  return 1;
}

// checkpoint:metadata_keys() -> list
int metadata_keys(lua_State* L) {
  lua_newtable(L);
  int position = 0;
  for (const MetadataEntry& entry : check_checkpoint(L).files().front().values) {
    push(L, entry.key);
    lua_rawseti(L, -2, ++position);
  }
  return 1;
}

const TensorEntry& find_tensor(const Checkpoint& checkpoint, std::string_view name) {
  const TensorEntry* entry = checkpoint.find(name);
  if (entry != nullptr) return *entry;
  throw Error(ErrorKind::kSpec, "there is no tensor '" + printable(name) + "'");
}

// checkpoint:hashes(names) -> list
int hashes(lua_State* L) {
  const Checkpoint& checkpoint = check_checkpoint(L);
  check_table(L, 2);
  std::vector<const TensorEntry*> entries(lua_objlen(L, 2));
  for (size_t i = 0; i < entries.size(); ++i) {
    lua_rawgeti(L, 2, static_cast<int>(i) + 1);
    entries[i] = &find_tensor(checkpoint, check_string(L, -1));
    lua_pop(L, 1);
  }
  const std::vector<std::string> digests = hash_tensors(checkpoint, entries);
  lua_createtable(L, static_cast<int>(digests.size()), 0);
  for (size_t i = 0; i < digests.size(); ++i) {
    push(L, digests[i]);
    lua_rawseti(L, -2, static_cast<int>(i) + 1);
  }
  return 1;
}

// checkpoint:bytes(name [, most]) -> text
int bytes(lua_State* L) {
  const Checkpoint& checkpoint = check_checkpoint(L);
  const std::string_view name = check_string(L, 2);
  const TensorEntry* entry = &find_tensor(checkpoint, name);
  const int64_t most = is_absent(L, 3) ? kDefaultBytes : check_integer(L, 3);
  if (most < 0 || static_cast<uint64_t>(most) > kMostBytes) argument_error(L, 3, "0 to 2^30");
  if (entry->bytes > static_cast<uint64_t>(most)) {
    throw Error(ErrorKind::kSpec, "'" + printable(name) + "' has " + std::to_string(entry->bytes) +
                                      " bytes, more than the " + std::to_string(most) +
                                      " asked for")
        .hint("host.tensor reads large tensors");
  }
  std::string data(entry->bytes, '\0');
  checkpoint.read(*entry, 0, std::as_writable_bytes(std::span(data)));
  push(L, data);
  return 1;
}

// checkpoint:overlay() -> Checkpoint
int overlay(lua_State* L) {
  push_handle(L, CheckpointHandle{Overlay::over(check_handle<CheckpointHandle>(L, 1).checkpoint)});
  return 1;
}

std::vector<uint64_t> check_shape(lua_State* L, int index) {
  check_table(L, index);
  std::vector<uint64_t> shape(lua_objlen(L, index));
  for (size_t i = 0; i < shape.size(); ++i) {
    lua_rawgeti(L, index, static_cast<int>(i) + 1);
    const double size = lua_tonumber(L, -1);
    if (!(size >= 0 && size <= 9007199254740992.0) || size != static_cast<double>(uint64_t(size))) {
      argument_error(L, index, "a list of sizes");
    }
    shape[i] = static_cast<uint64_t>(size);
    lua_pop(L, 1);
  }
  return shape;
}

// checkpoint:put(name, dtype, shape, data)
int put(lua_State* L) {
  Overlay& overlay = check_overlay(L);
  const std::string_view dtype_name = check_string(L, 3);
  const auto dtype = dtype_of_stored_name(dtype_name);
  if (!dtype) {
    throw Error(ErrorKind::kSpec, "'" + printable(dtype_name) + "' is no stored dtype")
        .hint("as safetensors writes it: F16, BF16, F32, U8, I8 ...");
  }
  const std::string_view data = check_string(L, 5);
  const auto* first = reinterpret_cast<const std::byte*>(data.data());
  overlay.put(std::string(check_string(L, 2)), *dtype, check_shape(L, 4),
              std::vector<std::byte>(first, first + data.size()));
  return 0;
}

// checkpoint:drop(name)
int drop(lua_State* L) {
  Overlay& overlay = check_overlay(L);
  overlay.drop(check_string(L, 2));
  return 0;
}

// checkpoint:place(name, file)
int place(lua_State* L) {
  Overlay& overlay = check_overlay(L);
  overlay.place(std::string(check_string(L, 2)), std::string(check_string(L, 3)));
  return 0;
}

// checkpoint:set_index(text)
int set_index(lua_State* L) {
  Overlay& overlay = check_overlay(L);
  overlay.set_index(check_string(L, 2));
  return 0;
}

// checkpoint:set_metadata(key [, value])
int set_metadata(lua_State* L) {
  Overlay& overlay = check_overlay(L);
  const std::string_view key = check_string(L, 2);
  std::optional<MetadataValue> value;
  if (!is_absent(L, 3)) {
    for (const CheckpointFile& file : overlay.files()) {
      const MetadataEntry* entry = find_metadata(file.values, key);
      if (entry != nullptr && !value) value = metadata_at(L, 3, *entry);
    }
  }
  overlay.set_metadata(key, std::move(value));
  return 0;
}

int to_string(lua_State* L) {
  push(L, "checkpoint " + printable(check_checkpoint(L).path()));
  return 1;
}

constexpr luaL_Reg kFunctions[] = {{"open", guard<open>}, {nullptr, nullptr}};

constexpr luaL_Reg kMethods[] = {{"path", guard<path>},
                                 {"files", guard<files>},
                                 {"tensors", guard<tensors>},
                                 {"find", guard<find>},
                                 {"problems", guard<problems>},
                                 {"bytes", guard<bytes>},
                                 {"hashes", guard<hashes>},
                                 {"metadata", guard<metadata>},
                                 {"metadata_keys", guard<metadata_keys>},
                                 {"overlay", guard<overlay>},
                                 {"put", guard<put>},
                                 {"drop", guard<drop>},
                                 {"place", guard<place>},
                                 {"set_index", guard<set_index>},
                                 {"set_metadata", guard<set_metadata>},
                                 {nullptr, nullptr}};

constexpr luaL_Reg kMetamethods[] = {{"__tostring", guard<to_string>}, {nullptr, nullptr}};

}  // namespace
}  // namespace qspec::lua

int luaopen_host_checkpoint(lua_State* L) {
  using namespace qspec::lua;
  register_type(L, CheckpointHandle::kLuaName, kMethods, kMetamethods,
                release_handle<CheckpointHandle>);
  push_functions(L, "checkpoint", kFunctions);
  return 1;
}
