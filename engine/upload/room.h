#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace qspec {

// Places within one stretch of memory: the lowest gap that is long enough. Not safe to use from
// several threads.
class Room {
 public:
  static constexpr uint64_t kAlignment = 256;

  explicit Room(uint64_t bytes);

  // Where `bytes` may lie, a multiple of kAlignment; nothing when no gap is long enough.
  std::optional<uint64_t> take(uint64_t bytes);
  // `place` must have come from take(bytes).
  void give_back(uint64_t place, uint64_t bytes);

  uint64_t bytes() const { return bytes_; }

 private:
  uint64_t bytes_;
  std::map<uint64_t, uint64_t> gaps_;  // length by place; no two touch
};

// As Room counts a request: at least one unit, whole ones.
constexpr uint64_t room_for(uint64_t bytes) {
  const uint64_t units = bytes == 0 ? 1 : (bytes - 1) / Room::kAlignment + 1;
  return units * Room::kAlignment;
}

}  // namespace qspec
