#include "engine/upload/room.h"

#include <iterator>

namespace qspec {

Room::Room(uint64_t bytes) : bytes_(bytes / kAlignment * kAlignment) {
  if (bytes_ > 0) gaps_.emplace(0, bytes_);
}

std::optional<uint64_t> Room::take(uint64_t bytes) {
  if (bytes > bytes_) return std::nullopt;
  const uint64_t wanted = room_for(bytes);
  for (auto gap = gaps_.begin(); gap != gaps_.end(); ++gap) {
    const auto [place, length] = *gap;
    if (length < wanted) continue;
    gaps_.erase(gap);
    if (length > wanted) gaps_.emplace(place + wanted, length - wanted);
    return place;
  }
  return std::nullopt;
}

void Room::give_back(uint64_t place, uint64_t bytes) {
  uint64_t length = room_for(bytes);
  const auto next = gaps_.lower_bound(place);
  if (next != gaps_.end() && next->first == place + length) {
    length += next->second;
    gaps_.erase(next);
  }
  const auto after = gaps_.lower_bound(place);
  if (after != gaps_.begin()) {
    const auto before = std::prev(after);
    if (before->first + before->second == place) {
      before->second += length;
      return;
    }
  }
  gaps_.emplace(place, length);
}

}  // namespace qspec
