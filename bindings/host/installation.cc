#include "bindings/host/installation.h"

#include <climits>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "engine/core/error.h"

namespace qspec::lua {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMarker = "stdlib/qspec/main.lua";
// .qspec/build/<preset>/ lies three folders below the source tree; bin/ beside share/.
constexpr const char* kFromProgram[] = {".", "..", "../..", "../../..", "../share/qspec"};

fs::path running_program() {
  std::error_code failure;
  const fs::path path = fs::read_symlink("/proc/self/exe", failure);
  if (failure) {
    throw Error(ErrorKind::kIo, "cannot find the program's own file: " + failure.message())
        .at("/proc/self/exe");
  }
  return path;
}

bool holds_stdlib(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / kMarker, ignored);
}

std::string without_last_slash(const fs::path& path) {
  const std::string text = path.lexically_normal().string();
  return text.size() > 1 && text.back() == '/' ? text.substr(0, text.size() - 1) : text;
}

std::string home_from(const fs::path& folder) {
  if (const char* named = std::getenv("QSPEC_HOME"); named != nullptr && *named != '\0') {
    if (holds_stdlib(named)) return without_last_slash(fs::absolute(named));
    throw Error(ErrorKind::kIo, std::string("there is no ") + kMarker + " in QSPEC_HOME")
        .at(named)
        .hint("QSPEC_HOME names the folder that holds stdlib/, specs/ and examples/");
  }
  for (const char* step : kFromProgram) {
    if (holds_stdlib(folder / step)) return without_last_slash(folder / step);
  }
  throw Error(ErrorKind::kIo, std::string("there is no ") + kMarker + " above the program")
      .at(folder.string())
      .hint("set QSPEC_HOME to the folder that holds stdlib/, specs/ and examples/");
}

}  // namespace

Installation find_installation() {
  const fs::path program = running_program();
  return {program.string(), program.parent_path().string(), home_from(program.parent_path())};
}

}  // namespace qspec::lua
