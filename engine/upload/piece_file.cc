#include "engine/upload/piece_file.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <semaphore>

#include "engine/core/file.h"
#include "engine/upload/pieces.h"

namespace qspec {
namespace {

// A disk serves a few large reads at once best.
constexpr int kReadsOfDisk = 4;

std::counting_semaphore<kReadsOfDisk>& turns_at_disk() {
  static std::counting_semaphore<kReadsOfDisk> turns(kReadsOfDisk);
  return turns;
}

class Turn {
 public:
  Turn() { turns_at_disk().acquire(); }
  ~Turn() { turns_at_disk().release(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
};

}  // namespace

// The descriptors are opened after File has refused what is no regular file.
PieceFile::PieceFile(const std::string& path)
    : file_(File::open(path)),
      cached_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)),
      direct_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_DIRECT)) {}

PieceFile::~PieceFile() {
  for (const int descriptor : {cached_, direct_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

// Bytes from the beginning that are in memory. Everything where the system cannot tell is left to
// the other ways.
size_t PieceFile::read_cached(uint64_t offset, std::span<std::byte> out) const {
  size_t done = 0;
  while (cached_ >= 0 && done < out.size()) {
    const iovec rest = {out.data() + done, out.size() - done};
    const ssize_t count =
        ::preadv2(cached_, &rest, 1, static_cast<off_t>(offset + done), RWF_NOWAIT);
    if (count <= 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

size_t PieceFile::read_direct(uint64_t offset, std::span<std::byte> out) const {
  if (direct_ < 0) return 0;
  const Turn turn;
  size_t done = 0;
  while (done < out.size() && done % kPageBytes == 0) {
    const ssize_t count =
        ::pread(direct_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (count <= 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

void PieceFile::read(uint64_t offset, std::span<std::byte> out, uint64_t least) const {
  const uint64_t there = file_->size() > offset ? file_->size() - offset : 0;
  if (there < least) return file_->read_at(offset, out.first(least));  // which says so
  out = out.first(std::min<uint64_t>(out.size(), there));
  // Direct I/O goes on where a page begins.
  size_t done = read_cached(offset, out) / kPageBytes * kPageBytes;
  const size_t whole = (out.size() + kPageBytes - 1) / kPageBytes * kPageBytes;
  if (done + kPageBytes < out.size()) {
    done += read_direct(offset + done, {out.data() + done, whole - done});
  }
  if (done < out.size()) file_->read_at(offset + done, out.subspan(done));
}

}  // namespace qspec
