#include "bindings/host/installation.h"

#include <climits>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "engine/core/error.h"

namespace qspec::lua {
namespace {

constexpr const char* kMarker = "stdlib/qspec/main.lua";
// .qspec/build/<preset>/ lies three folders below the source tree; bin/ beside share/.
constexpr const char* kFromProgram[] = {".", "..", "../..", "../../..", "../share/qspec"};

std::filesystem::path running_program() {
  std::error_code failure;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", failure);
  if (failure) {
    throw Error(ErrorKind::kIo, "cannot find the program's own file: " + failure.message())
        .at("/proc/self/exe");
  }
  return path;
}

bool holds_stdlib(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(folder / kMarker, ignored);
}

std::string home_from(const std::filesystem::path& folder) {
  if (const char* named = std::getenv("QSPEC_HOME"); named != nullptr && *named != '\0') {
    if (holds_stdlib(named)) return std::filesystem::absolute(named).lexically_normal();
    throw Error(ErrorKind::kIo, std::string("there is no ") + kMarker + " in QSPEC_HOME")
        .at(named)
        .hint("QSPEC_HOME names the folder that holds stdlib/, specs/ and examples/");
  }
  for (const char* step : kFromProgram) {
    const std::filesystem::path candidate = (folder / step).lexically_normal();
    if (!holds_stdlib(candidate)) continue;
    const std::string home = candidate.string();
    return home.size() > 1 && home.back() == '/' ? home.substr(0, home.size() - 1) : home;
  }
  throw Error(ErrorKind::kIo, std::string("there is no ") + kMarker + " above the program")
      .at(folder.string())
      .hint("set QSPEC_HOME to the folder that holds stdlib/, specs/ and examples/");
}

}  // namespace

Installation find_installation() {
  const std::filesystem::path program = running_program();
  return {program.string(), program.parent_path().string(), home_from(program.parent_path())};
}

}  // namespace qspec::lua
