#include "engine/checkpoint/zip_end.h"

#include <algorithm>

#include "engine/checkpoint/zip.h"
#include "engine/checkpoint/zip_bytes.h"
#include "engine/core/error.h"

namespace qspec {
namespace {

using namespace std::string_view_literals;

// PKWARE's APPNOTE.TXT, section 4.3.14 to 4.3.16.
constexpr std::string_view kWideEndMark = "PK\6\6"sv;
constexpr std::string_view kWideLocatorMark = "PK\6\7"sv;
constexpr std::string_view kEndMark = "PK\5\6"sv;
constexpr uint64_t kWideEndBytes = 56;
constexpr uint64_t kWideLocatorBytes = 20;
constexpr uint64_t kEndBytes = 22;
constexpr uint64_t kLongestComment = UINT16_MAX;

// An archive cut off has lost its end; one with a comment could hide a second end in it.
[[noreturn]] void refuse_end(const ByteSource& source) {
  const uint64_t tail = std::min(source.size(), kEndBytes + kLongestComment);
  const size_t mark = read_zip_text(source, source.size() - tail, tail).rfind(kEndMark);
  if (mark == std::string::npos) {
    refuse_zip(source, source.size(), "the zip archive has no end record",
               "the download or copy stopped early: fetch the file again");
  }
  refuse_zip(source, source.size() - tail + mark,
             "the zip archive's end record is followed by a comment or other bytes, need none");
}

// The 64-bit form of a field wins where the 32-bit one is full, and must agree where it is not.
uint64_t widened(const ByteSource& source, uint64_t at, uint64_t narrow, uint64_t full,
                 uint64_t wide, std::string_view what) {
  if (narrow == full || narrow == wide) return wide;
  refuse_zip(source, at,
             "the zip archive's two end records differ: " + std::string(what) + " is " +
                 std::to_string(narrow) + " and " + std::to_string(wide));
}

// Returns where the end records begin.
uint64_t apply_wide_end(const ByteSource& source, uint64_t end_at, ZipEnd& end) {
  if (end_at < kWideLocatorBytes) return end_at;
  const uint64_t locator_at = end_at - kWideLocatorBytes;
  const std::string locator = read_zip_text(source, locator_at, kWideLocatorBytes);
  if (!locator.starts_with(kWideLocatorMark)) return end_at;
  const uint64_t wide_at = zip_number(locator, 8, 8);
  if (locator_at < kWideEndBytes || wide_at != locator_at - kWideEndBytes) {
    refuse_zip(source, locator_at,
               "the zip64 locator points to byte " + std::to_string(wide_at) +
                   ", need the record just before it");
  }
  const std::string wide = read_zip_text(source, wide_at, kWideEndBytes);
  if (!wide.starts_with(kWideEndMark) || zip_number(wide, 4, 8) != kWideEndBytes - 12) {
    refuse_zip(source, wide_at, "no zip64 end record where its locator points");
  }
  if (zip_number(wide, 16, 8) != 0 || zip_number(wide, 24, 8) != zip_number(wide, 32, 8)) {
    refuse_zip(source, wide_at, "the zip archive has several disks, need one file");
  }
  end.members = widened(source, wide_at, end.members, UINT16_MAX, zip_number(wide, 32, 8),
                        "the count of members");
  end.directory_bytes = widened(source, wide_at, end.directory_bytes, UINT32_MAX,
                                zip_number(wide, 40, 8), "the directory's size");
  end.directory_at = widened(source, wide_at, end.directory_at, UINT32_MAX, zip_number(wide, 48, 8),
                             "the directory's place");
  return wide_at;
}

void check_end(const ByteSource& source, const ZipEnd& end, uint64_t records_at) {
  if (end.directory_at > records_at || end.directory_bytes != records_at - end.directory_at) {
    refuse_zip(source, records_at,
               "the zip archive's directory has " + std::to_string(end.directory_bytes) +
                   " bytes at byte " + std::to_string(end.directory_at) +
                   ", need it to end at byte " + std::to_string(records_at),
               "the file was cut, or something was put before or into it");
  }
  if (end.members > kMaxZipMembers) {
    refuse_zip(source, records_at,
               "the zip archive has " + std::to_string(end.members) + " members, the limit is " +
                   std::to_string(kMaxZipMembers));
  }
  if (end.directory_bytes > kMaxZipDirectoryBytes) {
    refuse_zip(source, records_at,
               "the zip archive's directory has " + std::to_string(end.directory_bytes) +
                   " bytes, the limit is " + std::to_string(kMaxZipDirectoryBytes));
  }
}

}  // namespace

ZipEnd read_zip_end(const ByteSource& source) {
  if (source.size() < kEndBytes) refuse_end(source);
  const uint64_t end_at = source.size() - kEndBytes;
  const std::string record = read_zip_text(source, end_at, kEndBytes);
  if (!record.starts_with(kEndMark) || zip_number(record, 20, 2) != 0) refuse_end(source);
  if (zip_number(record, 4, 4) != 0 || zip_number(record, 8, 2) != zip_number(record, 10, 2)) {
    refuse_zip(source, end_at, "the zip archive has several disks, need one file");
  }
  ZipEnd end{zip_number(record, 10, 2), zip_number(record, 16, 4), zip_number(record, 12, 4)};
  check_end(source, end, apply_wide_end(source, end_at, end));
  return end;
}

}  // namespace qspec
