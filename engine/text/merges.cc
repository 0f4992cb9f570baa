#include "engine/text/merges.h"

#include <bit>
#include <string>
#include <string_view>
#include <utility>

namespace qspec {
namespace {

constexpr size_t kMostMerges = 4'000'000;

struct Pair {
  std::string_view left;
  std::string_view right;
};

uint64_t key(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

// Reads the merges one after the other, and says in errors which one it is at.
class MergeReader {
 public:
  MergeReader(const Component& from, const Vocabulary& vocabulary, size_t prefix_bytes)
      : from_(from), vocabulary_(vocabulary), prefix_bytes_(prefix_bytes) {}

  // Adds to `add(left, right, joined)`.
  template <class Add>
  void read(const Json& list, Add&& add) {
    for (const Json& item : list) {
      if (!is_version_line(item)) {
        const Pair pair = pair_of(item);
        const int32_t left = id_of(pair.left);
        const int32_t right = id_of(pair.right);
        if (pair.right.size() < prefix_bytes_) throw refusal("is shorter than its prefix", pair);
        const std::string joined =
            std::string(pair.left) + std::string(pair.right.substr(prefix_bytes_));
        add(left, right, id_of(joined));
      }
      ++index_;
    }
  }

 private:
  // The first line of a merges.txt, which some files keep.
  static bool is_version_line(const Json& item) {
    return item.is_string() && item.get_ref<const std::string&>().starts_with("#version");
  }

  Pair pair_of(const Json& item) const {
    if (item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_string()) {
      return {item[0].get_ref<const std::string&>(), item[1].get_ref<const std::string&>()};
    }
    if (item.is_string()) {
      const std::string_view line = item.get_ref<const std::string&>();
      const size_t space = line.find(' ');
      if (space != line.npos && line.find(' ', space + 1) == line.npos) {
        return {line.substr(0, space), line.substr(space + 1)};
      }
    }
    throw from_.refusal(ErrorKind::kCheckpoint,
                        "found " + printable(dump_json(item)) + ", wanted two tokens", place());
  }

  int32_t id_of(std::string_view token) const {
    if (const auto id = vocabulary_.id_of(token)) return *id;
    throw from_.refusal(
        ErrorKind::kCheckpoint,
        "merge of a token that is not in the vocabulary: '" + printable(token) + "'", place());
  }

  Error refusal(std::string_view what, const Pair& pair) const {
    return from_.refusal(ErrorKind::kCheckpoint,
                         "'" + printable(pair.right) + "' " + std::string(what), place());
  }

  std::string place() const { return "merges[" + std::to_string(index_) + "]"; }

  const Component& from_;
  const Vocabulary& vocabulary_;
  size_t prefix_bytes_;
  size_t index_ = 0;
};

}  // namespace

Merges::Merges(const Component& from, const Vocabulary& vocabulary, size_t prefix_bytes) {
  const Json& list = from.array("merges");
  if (list.size() > kMostMerges) {
    throw from.refusal(
        ErrorKind::kCheckpoint,
        std::to_string(list.size()) + " merges, the limit is " + std::to_string(kMostMerges),
        "merges");
  }
  slots_.resize(std::bit_ceil(2 * list.size() + 1));
  uint32_t rank = 0;
  MergeReader(from, vocabulary, prefix_bytes)
      .read(list, [&](int32_t left, int32_t right, int32_t joined) {
        const uint64_t pair = key(left, right);
        slots_[slot_of(pair)] = {pair, {rank, joined}};  // of two equal ones, the last counts
        ++rank;
      });
}

size_t Merges::slot_of(uint64_t pair) const {
  constexpr uint64_t kGoldenRatio = 0x9E3779B97F4A7C15;  // spreads neighbouring ids
  const size_t mask = slots_.size() - 1;
  size_t slot = (pair * kGoldenRatio >> 32) & mask;
  while (slots_[slot].pair != kFree && slots_[slot].pair != pair) slot = (slot + 1) & mask;
  return slot;
}

const Merges::Merge* Merges::find(int32_t left, int32_t right) const {
  const uint64_t pair = key(left, right);
  const Slot& slot = slots_[slot_of(pair)];
  return slot.pair == pair ? &slot.merge : nullptr;
}

}  // namespace qspec
