#include "engine/checkpoint/zip_records.h"

#include <algorithm>

#include "engine/checkpoint/zip_bytes.h"
#include "engine/core/error.h"

namespace qspec {
namespace {

using namespace std::string_view_literals;

// PKWARE's APPNOTE.TXT, section 4.3; sizes are those of the fixed part.
constexpr std::string_view kLocalMark = "PK\3\4"sv;
constexpr std::string_view kDescriptorMark = "PK\7\x8"sv;
constexpr std::string_view kCentralMark = "PK\1\2"sv;
constexpr uint64_t kLocalBytes = 30;
constexpr uint64_t kCentralBytes = 46;

constexpr uint64_t kWideExtra = 0x0001;  // sizes and places that 32 bits do not hold
constexpr uint16_t kHasDescriptor = 1u << 3;
constexpr uint16_t kNamesAreUtf8 = 1u << 11;
constexpr uint16_t kEncrypted = 1u << 0 | 1u << 6 | 1u << 13;

std::string in_quotes(const ZipRecord& record) {
  return "member '" + printable(record.name) + "'";
}

[[noreturn]] void refuse_method(const ByteSource& source, const ZipRecord& record,
                                uint64_t method) {
  throw Error(ErrorKind::kUnsupported, in_quotes(record) +
                                           " of the zip archive is compressed (method " +
                                           std::to_string(method) + "), need it stored")
      .at(printable_path(source.path()), record.record_at)
      .hint("torch.save stores; load and save the model again");
}

void check_flags(const ByteSource& source, const ZipRecord& record) {
  if ((record.flags & kEncrypted) != 0) {
    throw Error(ErrorKind::kUnsupported, in_quotes(record) + " of the zip archive is encrypted")
        .at(printable_path(source.path()), record.record_at);
  }
  if ((record.flags & ~(kHasDescriptor | kNamesAreUtf8)) != 0) {
    refuse_zip(source, record.record_at,
               in_quotes(record) + " has the zip flags " + std::to_string(record.flags) +
                   ", of which only 8 and 2048 are known here");
  }
}

}  // namespace

std::string_view ZipCentralRecords::take(uint64_t bytes) {
  if (bytes > text_.size() - used_) {
    refuse_zip(source_, begin_ + used_, "the zip archive's directory ends within a record");
  }
  const std::string_view taken = text_.substr(used_, bytes);
  used_ += bytes;
  return taken;
}

ZipRecord ZipCentralRecords::next() {
  ZipRecord record;
  record.record_at = begin_ + used_;
  const std::string_view fixed = take(kCentralBytes);
  if (!fixed.starts_with(kCentralMark)) {
    refuse_zip(source_, record.record_at, "no member's record in the zip archive's directory");
  }
  record.name = take(zip_number(fixed, 28, 2));
  const std::string_view extra = take(zip_number(fixed, 30, 2));
  take(zip_number(fixed, 32, 2));  // a comment
  check_name(record);
  record.flags = static_cast<uint16_t>(zip_number(fixed, 8, 2));
  check_flags(source_, record);
  if (zip_number(fixed, 10, 2) != 0) refuse_method(source_, record, zip_number(fixed, 10, 2));
  if (zip_number(fixed, 20, 4) != zip_number(fixed, 24, 4) || zip_number(fixed, 34, 2) != 0) {
    refuse_zip(source_, record.record_at,
               in_quotes(record) + " has two sizes, or is on another disk");
  }
  record.crc = static_cast<uint32_t>(zip_number(fixed, 16, 4));
  record.bytes = zip_number(fixed, 24, 4);
  record.header_at = zip_number(fixed, 42, 4);
  take_wide_fields(record, extra, record.bytes == UINT32_MAX, record.header_at == UINT32_MAX);
  return record;
}

// Fields that are full in the record stand in an extra field: both sizes, then the place.
void ZipCentralRecords::take_wide_fields(ZipRecord& record, std::string_view extra,
                                         bool is_wide_size, bool is_wide_place) const {
  const size_t wanted = (is_wide_size ? 16 : 0) + (is_wide_place ? 8 : 0);
  if (wanted == 0) return;
  while (extra.size() >= 4 && zip_number(extra, 0, 2) != kWideExtra) {
    extra.remove_prefix(std::min<size_t>(extra.size(), 4 + zip_number(extra, 2, 2)));
  }
  if (extra.size() < 4 + wanted || zip_number(extra, 2, 2) != wanted) {
    refuse_zip(source_, record.record_at,
               in_quotes(record) + " lacks the zip64 field that its record asks for");
  }
  extra.remove_prefix(4);
  if (is_wide_place) record.header_at = zip_number(extra, wanted - 8, 8);
  if (!is_wide_size) return;
  record.bytes = zip_number(extra, 0, 8);
  if (zip_number(extra, 8, 8) != record.bytes) {
    refuse_zip(source_, record.record_at, in_quotes(record) + " has two sizes");
  }
}

void ZipCentralRecords::check_name(const ZipRecord& record) const {
  const std::string& name = record.name;
  const std::string inside = "/" + name + "/";
  if (!name.empty() && name.front() != '/' && name.find_first_of("\\\0"sv) == name.npos &&
      inside.find("/../") == inside.npos) {
    return;
  }
  refuse_zip(source_, record.record_at,
             in_quotes(record) + " of the zip archive leads out of it, need a plain name");
}

void ZipCentralRecords::require_end() const {
  if (used_ == text_.size()) return;
  refuse_zip(source_, begin_ + used_,
             "the zip archive's directory has " + std::to_string(text_.size() - used_) +
                 " bytes more than its members need");
}

uint64_t read_zip_local_header(const ByteSource& source, const ZipRecord& record, uint64_t limit) {
  const auto refuse = [&](const std::string& reason) {
    refuse_zip(source, record.header_at, in_quotes(record) + " of the zip archive " + reason);
  };
  const uint64_t name_end = kLocalBytes + record.name.size();
  if (record.header_at > limit || name_end > limit - record.header_at) {
    refuse("has no room for its local header");
  }
  const std::string header = read_zip_text(source, record.header_at, name_end);
  if (!header.starts_with(kLocalMark)) refuse("has no local header where the directory says");
  const std::string_view name = std::string_view(header).substr(kLocalBytes);
  if (zip_number(header, 26, 2) != name.size() || name != record.name) {
    refuse("has another name in its local header: '" + printable(name) + "'");
  }
  if (zip_number(header, 6, 2) != record.flags || zip_number(header, 8, 2) != 0) {
    refuse("has other flags or another method in its local header");
  }
  const bool is_stated_later = (record.flags & kHasDescriptor) != 0;
  const uint64_t full = std::min<uint64_t>(record.bytes, UINT32_MAX);
  const auto agrees = [&](size_t at, uint64_t wanted) {
    const uint64_t found = zip_number(header, at, 4);
    return found == wanted || (is_stated_later && (found == 0 || found == UINT32_MAX));
  };
  if (!agrees(14, record.crc) || !agrees(18, full) || !agrees(22, full)) {
    refuse("has another checksum or size in its local header");
  }
  const uint64_t extra = zip_number(header, 28, 2);
  if (extra > limit - record.header_at - name_end) refuse("has no room for its local header");
  return record.header_at + name_end + extra;
}

void check_zip_descriptor(const ByteSource& source, const ZipRecord& record, uint64_t end,
                          uint64_t limit) {
  const auto refuse = [&](const std::string& reason) {
    refuse_zip(source, end, in_quotes(record) + " of the zip archive " + reason);
  };
  const uint64_t room = limit - end;
  if ((record.flags & kHasDescriptor) == 0) {
    if (room != 0) refuse("is followed by " + std::to_string(room) + " bytes of no member");
    return;
  }
  if (room != 16 && room != 24) {
    refuse("is followed by " + std::to_string(room) + " bytes, need a descriptor of 16 or 24");
  }
  const std::string text = read_zip_text(source, end, room);
  const size_t width = room == 16 ? 4 : 8;
  if (!text.starts_with(kDescriptorMark) || zip_number(text, 4, 4) != record.crc ||
      zip_number(text, 8, width) != record.bytes ||
      zip_number(text, 8 + width, width) != record.bytes) {
    refuse("has a descriptor with another checksum or size than the directory's");
  }
}

}  // namespace qspec
