// host.gpu: the GPU without LibTorch: its facts, and tensors on their way to it.

#include <memory>
#include <vector>

#include "bindings/boundary.h"
#include "bindings/checkpoint_handle.h"
#include "bindings/host/gpu_library.h"
#include "bindings/host/host.h"
#include "bindings/host/modules.h"
#include "engine/core/timeline.h"
#include "engine/upload/uploaded.h"

namespace qspec::lua {
namespace {

void set_number(lua_State* L, const char* key, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, key);
}

int check_number_of_gpu(lua_State* L, int index) {
  const int64_t number = check_integer(L, index);
  if (number < 0 || number > 1023) argument_error(L, index, "the number of a GPU");
  return static_cast<int>(number);
}

// gpu.begin(number)
int begin(lua_State* L) {
  begin_gpu(Host::of(L).installation(), check_number_of_gpu(L, 1));
  return 0;
}

// gpu.obstacle() -> text, or nil when nothing that is to be seen without a GPU is missing
int obstacle(lua_State* L) {
  const std::string found = gpu_obstacle(Host::of(L).installation());
  if (found.empty()) {
    lua_pushnil(L);
  } else {
    push(L, found);
  }
  return 1;
}

// gpu.count() -> integer, or nil when there are no kernels
int count(lua_State* L) {
  const Installation& installation = Host::of(L).installation();
  if (has_gpu_library(installation)) {
    lua_pushinteger(L, gpu_count(installation));
  } else {
    lua_pushnil(L);
  }
  return 1;
}

// gpu.facts(number) -> {name, major, minor, memory_bytes, free_bytes}
int facts(lua_State* L) {
  const cuda::DeviceFacts found = gpu_facts(Host::of(L).installation(), check_number_of_gpu(L, 1));
  lua_createtable(L, 0, 5);
  push(L, found.name);
  lua_setfield(L, -2, "name");
  set_number(L, "major", found.major);
  set_number(L, "minor", found.minor);
  set_number(L, "memory_bytes", static_cast<double>(found.memory_bytes));
  set_number(L, "free_bytes", static_cast<double>(found.free_bytes));
  return 1;
}

// The names in the list at `index`; each must be of a tensor in a file.
void add_items(lua_State* L, int index, bool kept, std::vector<UploadItem>& items) {
  check_table(L, index);
  const auto count = static_cast<int>(lua_objlen(L, index));
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(L, index, i);
    items.push_back({std::string(check_string(L, lua_gettop(L))), kept});
    lua_pop(L, 1);
  }
}

// gpu.is_there() -> boolean: whether libqspec_cuda.so is
int is_there(lua_State* L) {
  lua_pushboolean(L, has_gpu_library(Host::of(L).installation()));
  return 1;
}

// gpu.upload(checkpoint, number, kept, passing) -> Checkpoint
int upload(lua_State* L) {
  std::shared_ptr<const Checkpoint> base = check_handle<CheckpointHandle>(L, 1).checkpoint;
  const int number = check_number_of_gpu(L, 2);
  std::vector<UploadItem> items;
  add_items(L, 4, false, items);
  add_items(L, 3, true, items);
  const Installation installation = Host::of(L).installation();
  auto begun = std::make_shared<Upload>(base, items, UploadLimits{}, [installation, number] {
    gpu_facts(installation, number);  // waits for the context
    return gpu_table(installation)->make_upload_device(number);
  });
  push_handle(L, CheckpointHandle{std::make_shared<UploadedCheckpoint>(base, std::move(begun))});
  return 1;
}

constexpr luaL_Reg kFunctions[] = {
    {"begin", guard<begin>}, {"obstacle", guard<obstacle>}, {"count", guard<count>},
    {"facts", guard<facts>}, {"is_there", guard<is_there>}, {"upload", guard<upload>},
    {nullptr, nullptr}};

}  // namespace
}  // namespace qspec::lua

int luaopen_host_gpu(lua_State* L) {
  using namespace qspec::lua;
  push_functions(L, "gpu", kFunctions);
  return 1;
}
