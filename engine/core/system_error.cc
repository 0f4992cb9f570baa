#include "engine/core/system_error.h"

#include <cctype>
#include <cerrno>
#include <system_error>

namespace qspec {
namespace {

std::string next_step(int code) {
  switch (code) {
    case EACCES:
    case EPERM:
      return "check the permissions of the file and of the folders above it";
    case EMFILE:
    case ENFILE:
      return "too many files are open: raise the limit with ulimit -n";
    case ENOSPC:
    case EDQUOT:
      return "free some room, or write to another file system";
    default:
      return "";
  }
}

}  // namespace

Error system_error(std::string_view action, const std::string& path, int code) {
  std::string reason = std::generic_category().message(code);
  if (!reason.empty())
    reason[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(reason[0])));
  Error error(ErrorKind::kIo, "cannot " + std::string(action) + ": " + reason);
  error.at(printable_path(path)).hint(next_step(code));
  return error;
}

}  // namespace qspec
