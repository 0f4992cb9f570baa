#include "bindings/torch/torch_boundary.h"

#include <string>
#include <string_view>

namespace qspec::lua {
namespace {

// What the driver reported, and no operand's mistake.
bool is_fault_of_gpu(const c10::Error& error) {
  return std::string_view(error.what_without_backtrace()).find("CUDA error") !=
         std::string_view::npos;
}

}  // namespace

bool is_out_of_memory(const c10::Error& error) {
  const std::string_view text = error.what_without_backtrace();
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         text.find("can't allocate memory") != std::string_view::npos ||
         text.find("out of memory") != std::string_view::npos;
}

Error from_torch(lua_State* L, const c10::Error& error) {
  const std::string_view text = error.what_without_backtrace();
  const std::string line(text.substr(0, text.find('\n')));
  if (is_out_of_memory(error)) {
    return Error(ErrorKind::kDevice, line).hint("release tensors that are no longer needed");
  }
  if (is_fault_of_gpu(error)) {
    return Error(ErrorKind::kDevice, line)
        .hint("nothing on this GPU can be trusted from here on; --device cpu runs everything");
  }
  return Error(ErrorKind::kSpec, running_function(L) + line);
}

std::string running_function(lua_State* L) {
  // Where register_type and push_functions keep it.
  const char* name = lua_tostring(L, lua_upvalueindex(1));
  return name == nullptr ? "" : std::string(name) + ": ";
}

}  // namespace qspec::lua
