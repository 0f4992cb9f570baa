#include "engine/checkpoint/zip.h"

#include <algorithm>
#include <utility>

#include "engine/checkpoint/zip_bytes.h"
#include "engine/checkpoint/zip_end.h"
#include "engine/checkpoint/zip_records.h"
#include "engine/core/crc32.h"
#include "engine/core/error.h"

namespace qspec {
namespace {

class DirectoryReader {
 public:
  explicit DirectoryReader(const ByteSource& source) : source_(source) {}

  std::vector<ZipMember> read() {
    const ZipEnd end = read_zip_end(source_);
    read_central_records(end);
    refuse_same_names();
    std::stable_sort(records_.begin(), records_.end(),
                     [](const auto& a, const auto& b) { return a.header_at < b.header_at; });
    std::vector<ZipMember> members;
    members.reserve(records_.size());
    for (size_t i = 0; i < records_.size(); ++i) {
      const bool is_last = i + 1 == records_.size();
      members.push_back(place(i, is_last ? end.directory_at : records_[i + 1].header_at));
    }
    return members;
  }

 private:
  void read_central_records(const ZipEnd& end) {
    const std::string text = read_zip_text(source_, end.directory_at, end.directory_bytes);
    ZipCentralRecords rest(source_, text, end.directory_at);
    records_.reserve(end.members);
    for (uint64_t i = 0; i < end.members; ++i) records_.push_back(rest.next());
    rest.require_end();
  }

  void refuse_same_names() const {
    std::vector<const ZipRecord*> sorted;
    for (const ZipRecord& record : records_) sorted.push_back(&record);
    std::sort(sorted.begin(), sorted.end(),
              [](const ZipRecord* a, const ZipRecord* b) { return a->name < b->name; });
    const auto same = std::adjacent_find(
        sorted.begin(), sorted.end(),
        [](const ZipRecord* a, const ZipRecord* b) { return a->name == b->name; });
    if (same == sorted.end()) return;
    refuse_zip(source_, (*same)->record_at,
               "member '" + printable((*same)->name) + "' occurs twice in the zip archive");
  }

  // The member's data, which begins behind its local header and ends, descriptor included, at
  // `limit`.
  ZipMember place(size_t number, uint64_t limit) const {
    const ZipRecord& record = records_[number];
    if (number == 0 && record.header_at != 0) {
      refuse_zip(source_, 0,
                 "the first member of the zip archive begins at byte " +
                     std::to_string(record.header_at) + ", need 0: something stands before it");
    }
    const uint64_t offset = read_zip_local_header(source_, record, limit);
    if (record.bytes > limit - offset) {
      refuse_zip(source_, offset,
                 "member '" + printable(record.name) + "' has " + std::to_string(record.bytes) +
                     " bytes, but the next part of the archive begins " +
                     std::to_string(limit - offset) + " bytes on: they overlap");
    }
    check_zip_descriptor(source_, record, offset + record.bytes, limit);
    return {record.name, offset, record.bytes, record.crc};
  }

  const ByteSource& source_;
  std::vector<ZipRecord> records_;
};

}  // namespace

std::vector<ZipMember> read_zip_directory(const ByteSource& source) {
  return DirectoryReader(source).read();
}

std::string read_zip_member(const ByteSource& source, const ZipMember& member, uint64_t most) {
  if (member.bytes > most) {
    refuse_zip(source, member.offset,
               "member '" + printable(member.name) + "' has " + std::to_string(member.bytes) +
                   " bytes, the limit is " + std::to_string(most));
  }
  std::string text = read_zip_text(source, member.offset, member.bytes);
  const uint32_t found = crc32(text);
  if (member.crc != 0 && found != member.crc) {
    refuse_zip(source, member.offset,
               "member '" + printable(member.name) + "' has the checksum " + std::to_string(found) +
                   ", the archive says " + std::to_string(member.crc),
               "the file was damaged or changed: fetch it again");
  }
  return text;
}

}  // namespace qspec
