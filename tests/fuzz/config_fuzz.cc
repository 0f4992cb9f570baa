#include <cstddef>
#include <cstdint>

#include "tests/fuzz/lua_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  qspec::test::exercise_config({reinterpret_cast<const char*>(data), size});
  return 0;
}
