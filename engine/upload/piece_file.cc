#include "engine/upload/piece_file.h"

#include <fcntl.h>
#include <sys/syscall.h>
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

// Of Linux 6.5; the C library has no name for it yet.
constexpr long kCachestat = 451;
struct CacheRange {
  uint64_t offset, bytes;
};
struct CacheState {
  uint64_t cached_pages, dirty_pages, pages_in_writeback, evicted_pages, recently_evicted_pages;
};

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

// Whether the page cache has the range. A wrong answer costs time only.
bool PieceFile::is_cached(uint64_t offset, size_t bytes) const {
  CacheRange range{offset, bytes};
  CacheState state{};
  if (::syscall(kCachestat, cached_, &range, &state, 0) == 0) {
    return state.cached_pages >= (bytes + kPageBytes - 1) / kPageBytes;
  }
  // An older kernel: the last byte, if it can be had at once.
  std::byte last{};
  const iovec one = {&last, 1};
  return ::preadv2(cached_, &one, 1, static_cast<off_t>(offset + bytes - 1), RWF_NOWAIT) == 1;
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
  size_t done = 0;
  if (!out.empty() && !is_cached(offset, out.size())) {
    const size_t whole = (out.size() + kPageBytes - 1) / kPageBytes * kPageBytes;
    done = std::min(out.size(), read_direct(offset, {out.data(), whole}));
  }
  if (done < out.size()) file_->read_at(offset + done, out.subspan(done));
}

}  // namespace qspec
