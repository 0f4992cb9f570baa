#include "engine/checkpoint/gguf_metadata.h"

#include <unordered_map>
#include <utility>

#include "engine/core/error.h"
#include "engine/core/little_endian.h"
#include "engine/core/utf8.h"

namespace qspec {
namespace {

// A key's length, its type and one byte of value.
constexpr uint64_t kLeastEntryBytes = 8 + 4 + 1;

constexpr uint64_t kLengthBytes = 8;

[[noreturn]] void refuse(const ByteCursor& cursor, uint64_t byte, std::string message,
                         std::string hint = "") {
  throw Error(ErrorKind::kCheckpoint, std::move(message))
      .at(printable_path(cursor.source().path()), byte)
      .hint(std::move(hint));
}

std::string of_key(const std::string& key) {
  return "the value of '" + printable(key) + "'";
}

const MetadataTypeInfo& take_type(ByteCursor& cursor, const std::string& what) {
  const uint64_t byte = cursor.position();
  const uint64_t number = cursor.take_natural(4, "the type of " + what);
  const MetadataTypeInfo* type = metadata_type(static_cast<uint32_t>(number));
  if (type == nullptr) {
    refuse(cursor, byte,
           what + " has the unknown type " + std::to_string(number) + ", need 0 to 12");
  }
  return *type;
}

std::string take_key(ByteCursor& cursor) {
  const uint64_t byte = cursor.position();
  std::string key(take_gguf_string(cursor, kMaxGgufKeyBytes, "a key"));
  if (key.empty()) refuse(cursor, byte, "a key is empty");
  if (!is_utf8(key)) refuse(cursor, byte, "the key '" + printable(key) + "' is not UTF-8");
  return key;
}

class EntryReader {
 public:
  explicit EntryReader(ByteCursor& cursor) : cursor_(cursor) {}

  MetadataEntry read() {
    MetadataEntry entry;
    entry.offset = cursor_.position();
    entry.key = take_key(cursor_);
    const std::string what = of_key(entry.key);
    entry.type = take_type(cursor_, what).type;
    entry.value = take_value(entry.type, what);
    return entry;
  }

 private:
  MetadataValue take_value(MetadataType type, const std::string& what) {
    if (type == MetadataType::kArray) return take_array(what);
    if (type == MetadataType::kString) return std::string(take_string(what));
    const uint64_t byte = cursor_.position();
    const std::string_view bytes = cursor_.take(info(type).bytes, what);
    if (type == MetadataType::kBool) check_bools(bytes, byte, what);
    return metadata_number(type, bytes);
  }

  std::string_view take_string(const std::string& what) {
    const std::string_view text = take_gguf_string(cursor_, kMaxGgufStringBytes, what);
    hold(text.size(), what);
    return text;
  }

  // Everything that is kept in memory.
  void hold(uint64_t bytes, const std::string& what) {
    held_ += bytes;
    if (held_ > kMaxGgufMetadataBytes) {
      refuse(cursor_, cursor_.position(),
             "metadata up to " + what + " has " + std::to_string(held_) + " bytes, the limit is " +
                 std::to_string(kMaxGgufMetadataBytes));
    }
  }

  void check_bools(std::string_view bytes, uint64_t byte, const std::string& what) const {
    for (const char value : bytes) {
      if (value == 0 || value == 1) continue;
      refuse(cursor_, byte,
             what + " has the byte " + std::to_string(static_cast<unsigned char>(value)) +
                 " for a bool, need 0 or 1");
    }
  }

  MetadataArray take_array(const std::string& what) {
    const uint64_t byte = cursor_.position();
    MetadataArray array;
    array.type = take_type(cursor_, what).type;
    if (array.type == MetadataType::kArray) {
      refuse(cursor_, byte, what + " is an array of arrays, need one of plain values");
    }
    array.count = cursor_.take_natural(8, "the count of " + what);
    const uint64_t least =
        array.type == MetadataType::kString ? kLengthBytes : info(array.type).bytes;
    if (array.count > cursor_.left() / least) {
      refuse(cursor_, byte,
             what + " has " + std::to_string(array.count) + " entries of at least " +
                 std::to_string(least) + " bytes, the file has " + std::to_string(cursor_.left()) +
                 " bytes more");
    }
    array.bytes = array.type == MetadataType::kString ? take_strings(array.count, what)
                                                      : take_numbers(array, what);
    return array;
  }

  std::string take_numbers(const MetadataArray& array, const std::string& what) {
    const uint64_t bytes = array.count * info(array.type).bytes;
    hold(bytes, what);
    const uint64_t byte = cursor_.position();
    std::string taken(cursor_.take(bytes, what));
    if (array.type == MetadataType::kBool) check_bools(taken, byte, what);
    return taken;
  }

  // With their lengths.
  std::string take_strings(uint64_t count, const std::string& what) {
    std::string taken;
    for (uint64_t i = 0; i < count; ++i) {
      const std::string_view length = cursor_.take(kLengthBytes, "the length of a string");
      taken += length;
      const uint64_t bytes = little_endian(std::string_view(taken).substr(taken.size() - 8));
      check_length(bytes, what);
      hold(kLengthBytes + bytes, what);
      taken += cursor_.take(bytes, what);
    }
    return taken;
  }

  void check_length(uint64_t bytes, const std::string& what) const {
    if (bytes <= kMaxGgufStringBytes) return;
    refuse(cursor_, cursor_.position() - kLengthBytes,
           what + " has a string of " + std::to_string(bytes) + " bytes, the limit is " +
               std::to_string(kMaxGgufStringBytes));
  }

  ByteCursor& cursor_;
  uint64_t held_ = 0;
};

}  // namespace

std::string_view take_gguf_string(ByteCursor& cursor, uint64_t most, std::string_view what) {
  const uint64_t byte = cursor.position();
  const uint64_t bytes = cursor.take_natural(kLengthBytes, "the length of " + std::string(what));
  if (bytes > most) {
    refuse(cursor, byte,
           std::string(what) + " has " + std::to_string(bytes) + " bytes, the limit is " +
               std::to_string(most));
  }
  return cursor.take(bytes, what);
}

std::vector<MetadataEntry> read_gguf_metadata(ByteCursor& cursor, uint64_t count) {
  const uint64_t byte = cursor.position();
  if (count > cursor.left() / kLeastEntryBytes) {
    refuse(cursor, byte,
           "the header counts " + std::to_string(count) + " keys, more than the " +
               std::to_string(cursor.left()) + " bytes after it hold");
  }
  if (count > kMaxGgufKeys) {
    refuse(cursor, byte,
           "the header counts " + std::to_string(count) + " keys, the limit is " +
               std::to_string(kMaxGgufKeys));
  }
  std::vector<MetadataEntry> entries;
  std::unordered_map<std::string, uint64_t> seen;
  EntryReader reader(cursor);
  for (uint64_t i = 0; i < count; ++i) {
    entries.push_back(reader.read());
    const MetadataEntry& entry = entries.back();
    const auto [known, is_new] = seen.emplace(entry.key, entry.offset);
    if (!is_new) {
      refuse(cursor, entry.offset,
             "the key '" + printable(entry.key) + "' was at byte " + std::to_string(known->second) +
                 " before");
    }
  }
  return entries;
}

}  // namespace qspec
