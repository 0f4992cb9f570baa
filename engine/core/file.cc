#include "engine/core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "engine/core/error.h"
#include "engine/core/system_error.h"

namespace qspec {
namespace {

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

}  // namespace

std::shared_ptr<const File> File::open(const std::string& path) {
  // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) throw system_error("open", path, errno);
  std::shared_ptr<File> file(new File(path, descriptor, 0));
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) throw system_error("examine", path, errno);
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::kIo,
                "found " + std::string(kind_of(status.st_mode)) + ", need a regular file")
        .at(printable_path(path));
  }
  file->size_ = static_cast<uint64_t>(status.st_size);
  return file;
}

File::~File() {
  ::close(descriptor_);
}

void File::read_at(uint64_t offset, std::span<std::byte> out) const {
  // Linux transfers at most 0x7ffff000 bytes a call.
  constexpr size_t kMostAtOnce = 1u << 30;
  while (!out.empty()) {
    const ssize_t count = ::pread(descriptor_, out.data(), std::min(out.size(), kMostAtOnce),
                                  static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_error("read", path_, errno).at(printable_path(path_), offset);
    if (count == 0) {
      throw Error(ErrorKind::kIo, "file ends " + std::to_string(out.size()) +
                                      " bytes too early; it had " + std::to_string(size_) +
                                      " bytes when it was opened")
          .at(printable_path(path_), offset)
          .hint("the file changed during the run");
    }
    offset += static_cast<uint64_t>(count);
    out = out.subspan(static_cast<size_t>(count));
  }
}

std::string read_text_file(const std::string& path, uint64_t max_bytes) {
  const std::shared_ptr<const File> file = File::open(path);
  if (file->size() > max_bytes) {
    throw Error(ErrorKind::kCheckpoint, "file of " + std::to_string(file->size()) +
                                            " bytes, the limit is " + std::to_string(max_bytes))
        .at(printable_path(path));
  }
  std::string text(file->size(), '\0');
  file->read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace qspec
