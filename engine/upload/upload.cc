#include "engine/upload/upload.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/core/error.h"
#include "engine/core/timeline.h"

namespace qspec {
namespace {

const TensorEntry& entry_of(const Checkpoint& checkpoint, const std::string& name) {
  const TensorEntry* entry = checkpoint.find(name);
  if (entry != nullptr && entry->file != kInMemory) return *entry;
  throw Error(ErrorKind::kInternal, "no file holds the tensor '" + printable(name) + "'");
}

}  // namespace

Upload::Upload(std::shared_ptr<const Checkpoint> checkpoint, const std::vector<UploadItem>& items,
               const UploadLimits& limits, MakeDevice make)
    : checkpoint_(std::move(checkpoint)), limits_(limits), began_(seconds_since_start()) {
  place_kept(items);
  starter_ = std::jthread([this, make = std::move(make)] {
    try {
      prepare(make);
      start_readers();
    } catch (...) {  // no Lua here; take() throws it
      fail(std::current_exception());
    }
  });
}

// Threads go first: they use everything else.
Upload::~Upload() {
  {
    const Lock lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  starter_ = {};
  readers_.clear();
  if (device_ == nullptr) return;
  device_->enter();
  device_->give_back_staging(staging_);
  device_->give_back(memory_);
}

void Upload::place_kept(const std::vector<UploadItem>& items) {
  std::vector<StoredRange> ranges;
  std::set<uint32_t> files;
  for (const UploadItem& wanted : items) {
    const TensorEntry& entry = entry_of(*checkpoint_, wanted.name);
    if (!by_name_.emplace(entry.name, items_.size()).second) continue;
    Item item{.bytes = entry.bytes, .kept = wanted.kept, .missing = entry.bytes};
    if (wanted.kept) {
      item.state = State::kPlaced;
      item.place = kept_bytes_;
      kept_bytes_ += room_for(entry.bytes);
    } else {
      passing_bytes_ += room_for(entry.bytes);
    }
    if (entry.bytes == 0) item.state = State::kQueued;
    items_.push_back(item);
    // A piece that ends one tensor and begins another would let the first wait for room for the
    // second.
    ranges.push_back({entry.file, entry.offset, entry.bytes, !wanted.kept});
    files.insert(entry.file);
    missing_ += entry.bytes;
    all_bytes_ += entry.bytes;
  }
  pieces_ = pieces_of(ranges, limits_.piece_bytes);
  open_files({files.begin(), files.end()});
}

void Upload::open_files(const std::vector<uint32_t>& files) {
  files_.resize(checkpoint_->files().size());
  for (const uint32_t file : files) {
    files_[file] = std::make_unique<PieceFile>(checkpoint_->files()[file].path);
  }
}

void Upload::prepare(const MakeDevice& make) {
  std::shared_ptr<UploadDevice> device = make();
  {
    const Lock lock(mutex_);
    device_ = std::move(device);
    changed_.notify_all();
  }
  device_->enter();
  const size_t slots = 2 * limits_.threads;
  const Timed timed("staging and device memory");
  staging_ = device_->allocate_staging(slots * limits_.piece_bytes);
  device_->make_marks(slots);
  allocate_memory();
}

// With a smaller window where there is less memory than there seemed to be.
void Upload::allocate_memory() {
  for (uint64_t window = window_bytes();; window /= 2) {
    try {
      window_ = Room(window);
      memory_ = device_->allocate(kept_bytes_ + window_.bytes());
      return;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kDevice || window_.bytes() == 0) throw;
    }
  }
}

uint64_t Upload::window_bytes() {
  if (passing_bytes_ == 0) return 0;
  const uint64_t free = device_->free_bytes();
  const uint64_t left = free > kept_bytes_ ? free - kept_bytes_ : 0;
  const auto most = static_cast<uint64_t>(static_cast<double>(left) * limits_.window_share);
  return std::min(passing_bytes_, most);
}

void Upload::start_readers() {
  const size_t wanted = std::clamp<size_t>(pieces_.size(), 1, limits_.threads);
  for (size_t i = 0; i < wanted; ++i) {
    readers_.emplace_back([this, i] {
      try {
        read_pieces(i);
      } catch (...) {  // no Lua here; take() throws it
        fail(std::current_exception());
      }
    });
  }
}

// Two pieces of staging memory in turn: one is read into while the other is copied.
void Upload::read_pieces(size_t reader) {
  device_->enter();
  for (size_t turn = 0;; ++turn) {
    const std::optional<size_t> piece = claim();
    if (!piece) return;
    const size_t slot = 2 * reader + turn % 2;
    device_->wait_for_mark(slot);
    std::byte* staging = staging_ + slot * limits_.piece_bytes;
    const Piece& next = pieces_[*piece];
    const Segment& last = next.segments.back();
    files_[next.file]->read(next.offset, {staging, next.bytes}, last.at + last.bytes);
    bring(next, staging, slot);
  }
}

// The next piece, when all tensors that begin in it have their places. Pieces are given out in
// order, so that who waits for room waits for tensors that come before.
std::optional<size_t> Upload::claim() {
  const std::lock_guard claiming(claiming_);
  if (next_piece_ == pieces_.size()) return std::nullopt;
  const Piece& piece = pieces_[next_piece_];
  for (const Segment& segment : piece.segments) {
    if (!make_room(items_[segment.range])) return std::nullopt;
  }
  return next_piece_++;
}

// False when the Upload ends meanwhile.
bool Upload::make_room(Item& item) {
  Lock lock(mutex_);
  while (!is_stopping_ && failure_ == nullptr && item.state == State::kWaiting) {
    if (const std::optional<uint64_t> place = window_.take(item.bytes)) {
      item.place = kept_bytes_ + *place;
      item.state = State::kPlaced;
      break;
    }
    if (item.bytes > window_.bytes()) {
      item.state = State::kGone;
      break;
    }
    is_blocked_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !is_blocked_ || is_stopping_ || failure_ != nullptr; });
  }
  return !is_stopping_ && failure_ == nullptr;
}

void Upload::bring(const Piece& piece, std::byte* staging, size_t mark) {
  for (const Segment& segment : piece.segments) {
    const Item& item = items_[segment.range];  // placed, and not given back before it is complete
    if (item.state == State::kGone) continue;
    device_->copy(memory_ + item.place + segment.begin, {staging + segment.at, segment.bytes});
  }
  device_->set_mark(mark);
  const Lock lock(mutex_);
  bool is_complete = false;
  for (const Segment& segment : piece.segments) {
    Item& item = items_[segment.range];
    item.missing -= segment.bytes;
    missing_ -= segment.bytes;
    if (item.missing > 0 || item.state == State::kGone) continue;
    item.state = State::kQueued;
    item.mark = mark;
    is_complete = true;
  }
  // Other readers' copies of the tensor may have been queued after the mark was set above: it has
  // to be behind them too.
  if (is_complete) device_->set_mark(mark);
  if (missing_ == 0)
    add_span("uploaded " + std::to_string(all_bytes_) + " bytes", began_, seconds_since_start());
  changed_.notify_all();
}

void Upload::fail(std::exception_ptr failure) {
  const Lock lock(mutex_);
  if (failure_ == nullptr) failure_ = std::move(failure);
  changed_.notify_all();
}

bool Upload::holds(std::string_view name) const {
  return by_name_.contains(name);
}

size_t Upload::index_of(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) return found->second;
  throw Error(ErrorKind::kInternal, "'" + printable(name) + "' is not uploaded");
}

// Whether nobody but the caller can let the tensor come.
bool Upload::is_stuck(const Item& item) const {
  return is_blocked_ && item.state == State::kWaiting;
}

std::optional<std::byte*> Upload::take(std::string_view name) {
  Item& item = items_[index_of(name)];
  Lock lock(mutex_);
  changed_.wait(lock, [&] {
    return failure_ != nullptr || item.state == State::kQueued || item.state == State::kGone ||
           is_stuck(item);
  });
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  if (item.state != State::kQueued) return std::nullopt;
  if (item.bytes > 0) {
    device_->enter();
    device_->work_after_mark(item.mark);
  }
  return memory_ + item.place;
}

void Upload::give_back(std::string_view name) {
  Item& item = items_[index_of(name)];
  if (item.kept) return;
  const Lock lock(mutex_);
  if (item.state != State::kQueued) return;
  item.state = State::kGone;
  if (item.bytes == 0) return;
  device_->enter();
  device_->copies_after_work();
  window_.give_back(item.place - kept_bytes_, item.bytes);
  is_blocked_ = false;
  changed_.notify_all();
}

void Upload::skip(std::string_view name) {
  Item& item = items_[index_of(name)];
  const Lock lock(mutex_);
  if (item.state != State::kWaiting) return;
  item.state = State::kGone;
  is_blocked_ = false;
  changed_.notify_all();
}

int Upload::device_number() {
  Lock lock(mutex_);
  changed_.wait(lock, [&] { return failure_ != nullptr || device_ != nullptr; });
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  return device_->number();
}

}  // namespace qspec
