#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/checkpoint/checkpoint.h"
#include "engine/upload/device.h"
#include "engine/upload/piece_file.h"
#include "engine/upload/pieces.h"
#include "engine/upload/room.h"

namespace qspec {

// One tensor that is brought to the device.
struct UploadItem {
  std::string name;
  bool kept = true;  // for as long as the Upload lives; otherwise until its user gives it back
};

struct UploadLimits {
  double window_share = 0.5;  // of the memory that is free beside the kept tensors, at most
  uint64_t piece_bytes = 4 << 20;
  size_t threads = 8;  // with two pieces of staging memory each
};

// Brings tensors of a checkpoint from its files to a device, in the order given, while others work:
// threads read pieces of the files into a small ring of staging memory, from which they are copied
// into one stretch of device memory. Tensors that are kept have their place in it from the
// beginning; the others wait for room in a window, which is as large as all of them or as
// UploadLimits allow. Staging memory is never more than threads * 2 * piece_bytes.
class Upload {
 public:
  using MakeDevice = std::function<std::shared_ptr<UploadDevice>()>;

  // Begins at once; `make` is called on a thread of the Upload. Names must be of tensors in files.
  // Throws Error(kIo).
  Upload(std::shared_ptr<const Checkpoint> checkpoint, const std::vector<UploadItem>& items,
         const UploadLimits& limits, MakeDevice make);
  ~Upload();
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  bool holds(std::string_view name) const;

  // Waits until the copy of the tensor is queued, and lets the device's work wait for it. Nothing
  // when it was given back before, or when it waits for room that only the caller can give: by
  // giving back what it holds, or by reading the tensor another way. Throws what reading or copying
  // threw.
  std::optional<std::byte*> take(std::string_view name);
  // A tensor that has no place yet is not wanted any more.
  void skip(std::string_view name);
  // After take, when the work that uses it is queued. Kept tensors stay.
  void give_back(std::string_view name);

  int device_number();

 private:
  enum class State { kWaiting, kPlaced, kQueued, kGone };

  struct Item {
    uint64_t bytes = 0;
    bool kept = true;
    State state = State::kWaiting;
    uint64_t place = 0;
    uint64_t missing = 0;  // bytes whose copy is not queued
    size_t mark = 0;       // behind its last copy
  };

  using Lock = std::unique_lock<std::mutex>;

  void place_kept(const std::vector<UploadItem>& items);
  void open_files(const std::vector<uint32_t>& files);
  void prepare(const MakeDevice& make);
  void allocate_memory();
  uint64_t window_bytes();
  void start_readers();
  void read_pieces(size_t reader);
  std::optional<size_t> claim();
  bool make_room(Item& item);
  void bring(const Piece& piece, std::byte* staging, size_t mark);
  void fail(std::exception_ptr failure);
  bool is_stuck(const Item& item) const;
  size_t index_of(std::string_view name) const;

  std::shared_ptr<const Checkpoint> checkpoint_;
  UploadLimits limits_;
  std::shared_ptr<UploadDevice> device_;
  std::unordered_map<std::string_view, size_t> by_name_;  // keys are the checkpoint's
  std::vector<Item> items_;
  std::vector<Piece> pieces_;
  std::vector<std::unique_ptr<PieceFile>> files_;  // by number; null where nothing is read
  uint64_t kept_bytes_ = 0, passing_bytes_ = 0;
  Room window_{0};
  std::byte* memory_ = nullptr;   // kept tensors, then the window
  std::byte* staging_ = nullptr;  // two pieces a reader

  std::mutex claiming_;  // held while the next piece is given out, and while it waits for room
  size_t next_piece_ = 0;
  mutable std::mutex mutex_;  // of all that follows, and of items_ and window_
  std::condition_variable changed_;
  bool is_blocked_ = false;  // the next piece waits for room
  bool is_stopping_ = false;
  std::exception_ptr failure_;
  uint64_t missing_ = 0, all_bytes_ = 0;
  double began_;
  std::vector<std::jthread> readers_;
  std::jthread starter_;
};

}  // namespace qspec
