#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace qspec {

// Memory and copies of one device, as an Upload (upload.h) wants them: engine/kernels/transfer.cu
// has CUDA's, tests have one in host memory. Two queues of work: copies to the device, and whatever
// else runs there. Safe to use from several threads; each calls enter() before anything else.
// Everything but enter() and the two give_back throws Error(kDevice).
class UploadDevice {
 public:
  virtual ~UploadDevice() = default;

  virtual void enter() = 0;
  virtual int number() const = 0;
  // Bytes that may be allocated now.
  virtual uint64_t free_bytes() = 0;
  virtual std::byte* allocate(uint64_t bytes) = 0;
  virtual void give_back(std::byte* memory) noexcept = 0;
  // Host memory that copies start from.
  virtual std::byte* allocate_staging(uint64_t bytes) = 0;
  virtual void give_back_staging(std::byte* memory) noexcept = 0;

  // Marks are numbered from 0, each is set again and again.
  virtual void make_marks(size_t count) = 0;
  // Queues a copy from staging memory.
  virtual void copy(std::byte* to, std::span<const std::byte> from) = 0;
  // Behind the copies queued so far.
  virtual void set_mark(size_t mark) = 0;
  // Until the copies before the mark are done; at once where it was never set.
  virtual void wait_for_mark(size_t mark) = 0;
  // Work that is queued from now on begins after the mark.
  virtual void work_after_mark(size_t mark) = 0;
  // Copies that are queued from now on begin after the work that is queued now.
  virtual void copies_after_work() = 0;
};

}  // namespace qspec
