#include "engine/core/atomic_write.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>

#include "engine/core/error.h"
#include "engine/core/system_error.h"

namespace qspec {
namespace {

constexpr mode_t kReadableByAll = 0644;

void write_all(int descriptor, std::string_view text, const std::string& target) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_error("write", target, errno);
    text.remove_prefix(static_cast<size_t>(count));
  }
}

// The new text under its temporary name, removed again unless it was put in place.
class Temporary {
 public:
  Temporary(std::string path, const std::string& target) : path_(std::move(path)), target_(target) {
    // A temporary of the same name was left by a dead process with this process's number.
    ::unlink(path_.c_str());
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kReadableByAll);
    if (descriptor_ < 0) throw system_error("write", target_, errno);
  }

  ~Temporary() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!in_place_) ::unlink(path_.c_str());
  }

  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  void write(std::string_view text) { write_all(descriptor_, text, target_); }

  // Network file systems report a full disk only here.
  void finish() {
    if (::fsync(descriptor_) != 0) throw system_error("write", target_, errno);
    const int closing = descriptor_;
    descriptor_ = -1;
    if (::close(closing) != 0) throw system_error("write", target_, errno);
  }

  void put_in_place() {
    if (::rename(path_.c_str(), target_.c_str()) != 0) throw system_error("write", target_, errno);
    in_place_ = true;
  }

 private:
  std::string path_;
  const std::string& target_;
  int descriptor_ = -1;
  bool in_place_ = false;
};

void refuse_special_target(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return;
  const std::string found = S_ISDIR(status.st_mode) ? "a folder" : "not a regular file";
  throw Error(ErrorKind::kIo, "cannot write: the target is " + found).at(printable_path(path));
}

// A rename is on disk only when the folder is. Not every file system can sync one: the text itself
// is safe by then.
void sync_folder(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

void write_file_atomically(const std::string& path, std::string_view text) {
  refuse_special_target(path);
  const std::filesystem::path target(path);
  const std::string folder = target.has_parent_path() ? target.parent_path().string() : ".";
  const std::string name =
      "." + target.filename().string() + "." + std::to_string(::getpid()) + ".tmp";
  Temporary temporary(folder + "/" + name, path);
  temporary.write(text);
  temporary.finish();
  temporary.put_in_place();
  sync_folder(folder);
}

void append_to_file(const std::string& path, std::string_view text) {
  refuse_special_target(path);
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kReadableByAll);
  if (descriptor < 0) throw system_error("write", path, errno);
  const auto close = [](const int* open) { ::close(*open); };
  const std::unique_ptr<const int, decltype(close)> closed(&descriptor, close);
  // One write is whole on a local disk; the lock is for those that come in two.
  ::flock(descriptor, LOCK_EX);
  write_all(descriptor, text, path);
  if (::fdatasync(descriptor) != 0) throw system_error("write", path, errno);
}

}  // namespace qspec
