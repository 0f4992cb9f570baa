#include "engine/checkpoint/zip.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/memory_bytes.h"
#include "tests/support/refusal.h"
#include "tests/support/zip_bytes.h"

namespace qspec::test {
namespace {

using std::string_literals::operator""s;

std::vector<ZipMember> read(const std::string& file) {
  return read_zip_directory(MemoryBytes(file, "m.zip"));
}

Error refused(const std::string& file) {
  return refusal([&] { read(file); });
}

Error refused(const ZipPart& part) {
  return refused(zip({part}));
}

const std::vector<ZipPart> kTwo = {ZipPart("m/a", "AAAA"), ZipPart("m/b", "BB")};

// The file with the first `from` replaced by as many bytes.
std::string replaced(std::string file, std::string_view from, std::string_view to) {
  const size_t at = file.find(from);
  BOOST_REQUIRE(at != std::string::npos);
  return file.replace(at, from.size(), to);
}

// The file with `bytes` written over it, counted from its end.
std::string patched(std::string file, size_t from_end, std::string_view bytes) {
  return file.replace(file.size() - from_end, bytes.size(), bytes);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(zip_tests)

BOOST_AUTO_TEST_CASE(finds_members_where_their_bytes_are) {
  const std::string file = zip(kTwo);
  const auto members = read(file);
  BOOST_TEST(members.size() == 2u);
  BOOST_TEST(members.at(0).name == "m/a");
  BOOST_TEST(file.substr(members.at(0).offset, members.at(0).bytes) == "AAAA");
  BOOST_TEST(file.substr(members.at(1).offset, members.at(1).bytes) == "BB");
}

BOOST_AUTO_TEST_CASE(reads_members_with_descriptors_and_padding_as_torch_writes_them) {
  ZipPart padded = with_descriptor("m/a", "AAAA");
  padded.local_extra = "FB" + little(3, 2) + "ZZZ";
  const std::string file = zip({padded, with_descriptor("m/b", "BB")});
  const auto members = read(file);
  BOOST_TEST(file.substr(members.at(0).offset, 4) == "AAAA");
  BOOST_TEST(file.substr(members.at(1).offset, 2) == "BB");
}

BOOST_AUTO_TEST_CASE(reads_the_64_bit_fields) {
  const std::string file = zip({with_descriptor("m/a", "AAAA", 8), ZipPart("m/b", "BB")}, true);
  const auto members = read(file);
  BOOST_TEST(file.substr(members.at(0).offset, 4) == "AAAA");
  BOOST_TEST(members.at(1).bytes == 2u);
}

BOOST_AUTO_TEST_CASE(accepts_an_empty_member_and_an_empty_archive) {
  BOOST_TEST(read(zip({ZipPart("m/a", "")})).at(0).bytes == 0u);
  BOOST_TEST(read(zip({})).empty());
}

BOOST_AUTO_TEST_CASE(compares_a_checksum_when_a_member_is_read) {
  const MemoryBytes good(zip(kTwo));
  BOOST_TEST(read_zip_member(good, read_zip_directory(good).at(0), 10) == "AAAA");
  const MemoryBytes bad(replaced(zip(kTwo), "AAAA", "AABA"));
  const Error error = refusal([&] { read_zip_member(bad, read_zip_directory(bad).at(0), 10); });
  BOOST_TEST(has(error.message(), "member 'm/a' has the checksum "));
  BOOST_TEST(has(error.hint(), "damaged"));
}

BOOST_AUTO_TEST_CASE(takes_a_checksum_of_zero_for_none) {
  ZipPart part("m/a", "AAAA");
  part.crc = 0;
  const MemoryBytes file(zip({part}));
  BOOST_TEST(read_zip_member(file, read_zip_directory(file).at(0), 10) == "AAAA");
}

BOOST_AUTO_TEST_CASE(refuses_to_read_a_member_over_the_limit) {
  const MemoryBytes file(zip(kTwo));
  const Error error = refusal([&] { read_zip_member(file, read_zip_directory(file).at(0), 3); });
  BOOST_TEST(error.message() == "member 'm/a' has 4 bytes, the limit is 3");
}

BOOST_AUTO_TEST_CASE(refuses_a_file_without_an_end_record) {
  BOOST_TEST(refused("").message() == "the zip archive has no end record");
  BOOST_TEST(refused(std::string(100, 'x')).message() == "the zip archive has no end record");
  std::string file = zip(kTwo);
  const Error error = refused(file.substr(0, file.size() - 22));
  BOOST_TEST(error.message() == "the zip archive has no end record");
  BOOST_TEST(has(error.hint(), "stopped early"));
}

BOOST_AUTO_TEST_CASE(refuses_bytes_behind_the_end_record) {
  const std::string file = zip(kTwo);
  const Error error = refused(file + "x");
  BOOST_TEST(has(error.message(), "followed by a comment or other bytes"));
  BOOST_TEST(error.where() == "m.zip, byte " + std::to_string(file.size() - 22));
}

BOOST_AUTO_TEST_CASE(refuses_a_comment_that_could_hide_a_second_end_record) {
  const std::string comment = end_record(0, 0, 0);
  const std::string file = patched(zip(kTwo), 2, little(comment.size(), 2)) + comment;
  BOOST_TEST(has(refused(file).message(), "bytes at byte 0, need it to end at byte"));
  BOOST_TEST(has(refused(patched(zip(kTwo), 2, little(3, 2)) + "abc").message(), "a comment"));
}

BOOST_AUTO_TEST_CASE(refuses_bytes_before_the_first_member) {
  BOOST_TEST(has(refused("#!/bin/sh\n" + zip(kTwo)).message(), "need it to end at byte"));
  // With all places moved along, as a self-extracting archive has them.
  ZipPart part("m/a", "AAAA");
  const std::string local = "#!" + local_header(part) + part.data;
  const std::string record = central_record(part, 2, false);
  const Error error = refused(local + record + end_record(1, record.size(), local.size()));
  BOOST_TEST(error.message() ==
             "the first member of the zip archive begins at byte 2, need 0: something stands "
             "before it");
}

BOOST_AUTO_TEST_CASE(refuses_a_directory_of_another_length) {
  const std::string file = zip(kTwo);
  BOOST_TEST(
      has(refused(patched(file, 10, little(1, 4))).message(), "the zip archive's directory"));
  BOOST_TEST(has(refused(patched(file, 6, little(UINT32_MAX, 4))).message(),
                 "bytes at byte 4294967295, need it to end"));
}

BOOST_AUTO_TEST_CASE(refuses_another_count_of_members_than_there_are) {
  const std::string file = zip(kTwo);
  const std::string one = little(1, 2) + little(1, 2);
  BOOST_TEST(has(refused(patched(file, 14, one)).message(), "bytes more than its members need"));
  const std::string three = little(3, 2) + little(3, 2);
  BOOST_TEST(has(refused(patched(file, 14, three)).message(), "ends within a record"));
}

BOOST_AUTO_TEST_CASE(refuses_more_members_than_the_limit) {
  const std::string file = wide_end_records(kMaxZipMembers + 1, 0, 0);
  BOOST_TEST(refused(file.substr(0, 76) + end_record(UINT16_MAX, 0, 0)).message() ==
             "the zip archive has 100001 members, the limit is 100000");
}

BOOST_AUTO_TEST_CASE(refuses_end_records_that_differ) {
  const std::string file = zip(kTwo, true);
  const std::string one = little(1, 2) + little(1, 2);
  BOOST_TEST(refused(patched(file, 14, one)).message() ==
             "the zip archive's two end records differ: the count of members is 1 and 2");
}

BOOST_AUTO_TEST_CASE(refuses_a_64_bit_end_record_elsewhere) {
  const std::string file = zip(kTwo, true);
  BOOST_TEST(has(refused(patched(file, 22 + 12, little(0, 8))).message(),
                 "the zip64 locator points to byte 0"));
  BOOST_TEST(has(refused(replaced(file, "PK\6\6", "PK\6\5")).message(), "no zip64 end record"));
}

BOOST_AUTO_TEST_CASE(refuses_an_archive_of_several_disks) {
  BOOST_TEST(has(refused(patched(zip(kTwo), 18, little(1, 2))).message(), "several disks"));
  const std::string wide = zip(kTwo, true);
  BOOST_TEST(has(refused(patched(wide, 22 + 20 + 40, little(1, 4))).message(), "several disks"));
}

BOOST_AUTO_TEST_CASE(refuses_a_name_that_occurs_twice) {
  const Error error = refused(zip({ZipPart("m/a", "A"), ZipPart("m/b", "B"), ZipPart("m/a", "C")}));
  BOOST_TEST(error.message() == "member 'm/a' occurs twice in the zip archive");
}

BOOST_AUTO_TEST_CASE(refuses_names_that_lead_elsewhere) {
  for (const char* name : {"", "/etc/passwd", "../a", "m/../../a", "m/..", "m\\a"}) {
    BOOST_TEST(has(refused(ZipPart(name, "A")).message(), "leads out of it"), name);
  }
  BOOST_TEST(has(refused(ZipPart(std::string("a\0b", 3), "A")).message(), "'a\\x00b'"));
}

BOOST_AUTO_TEST_CASE(refuses_a_local_header_with_another_name) {
  ZipPart part("m/a", "A");
  part.local_name = "m/b";
  const Error error = refused(part);
  BOOST_TEST(error.message() ==
             "member 'm/a' of the zip archive has another name in its local header: 'm/b'");
  BOOST_TEST(error.where() == "m.zip, byte 0");
  part.local_name = "m/ab";
  BOOST_TEST(has(refused(part).message(), "another name"));
}

BOOST_AUTO_TEST_CASE(refuses_a_compressed_member) {
  ZipPart part("m/a", "A");
  part.method = 8;
  const Error error = refused(part);
  BOOST_TEST((error.kind() == ErrorKind::kUnsupported));
  BOOST_TEST(error.message() ==
             "member 'm/a' of the zip archive is compressed (method 8), need it stored");
}

BOOST_AUTO_TEST_CASE(refuses_an_encrypted_member) {
  ZipPart part("m/a", "A");
  part.flags = 1;
  const Error error = refused(part);
  BOOST_TEST((error.kind() == ErrorKind::kUnsupported));
  BOOST_TEST(error.message() == "member 'm/a' of the zip archive is encrypted");
}

BOOST_AUTO_TEST_CASE(refuses_unknown_flags_and_flags_that_differ) {
  ZipPart part("m/a", "A");
  part.flags = 0x20;
  BOOST_TEST(has(refused(part).message(), "has the zip flags 32"));
  part.flags = 0;
  const std::string file = zip({part});
  BOOST_TEST(has(refused(replaced(file, "PK\3\4\x14\0\0"s, "PK\3\4\x14\0\x8"s)).message(),
                 "other flags or another method in its local header"));
}

BOOST_AUTO_TEST_CASE(refuses_sizes_and_checksums_that_differ) {
  const std::string size = replaced(zip({ZipPart("m/a", "A")}), little(1, 4) + little(1, 4),
                                    little(2, 4) + little(2, 4));
  BOOST_TEST(has(refused(size).message(), "another checksum or size in its local header"));
  ZipPart part = with_descriptor("m/a", "A");
  part.crc ^= 1;
  BOOST_TEST(has(refused(part).message(), "a descriptor with another checksum or size"));
}

BOOST_AUTO_TEST_CASE(refuses_a_descriptor_of_another_form) {
  ZipPart part = with_descriptor("m/a", "A");
  part.behind = part.behind.substr(4);
  BOOST_TEST(has(refused(part).message(), "followed by 12 bytes, need a descriptor of 16 or 24"));
}

BOOST_AUTO_TEST_CASE(refuses_bytes_between_members) {
  ZipPart part("m/a", "A");
  part.behind = "hidden";
  BOOST_TEST(refused(part).message() ==
             "member 'm/a' of the zip archive is followed by 6 bytes of no member");
}

BOOST_AUTO_TEST_CASE(refuses_members_that_overlap) {
  const ZipPart a("m/a", "AAAA");
  const std::string local = local_header(a) + a.data;
  ZipPart longer = a;
  longer.data += std::string(10, 'x');
  const std::string records = central_record(longer, 0, false);
  BOOST_TEST(has(refused(local + records + end_record(1, records.size(), local.size())).message(),
                 "another checksum or size"));
  ZipPart late = with_descriptor("m/a", "AAAA");
  const std::string file = local_header(late) + "AA";
  const std::string record = central_record(late, 0, false);
  BOOST_TEST(has(refused(file + record + end_record(1, record.size(), file.size())).message(),
                 "has 4 bytes, but the next part of the archive begins 2 bytes on: they overlap"));
}

BOOST_AUTO_TEST_CASE(refuses_two_members_in_one_place) {
  const ZipPart a("m/a", "A");
  const std::string local = local_header(a) + a.data;
  const std::string records =
      central_record(a, 0, false) + central_record(ZipPart("m/b", "A"), 0, false);
  BOOST_TEST(has(refused(local + records + end_record(2, records.size(), local.size())).message(),
                 "has no room for its local header"));
}

BOOST_AUTO_TEST_CASE(refuses_a_local_header_past_the_directory) {
  const ZipPart a("m/a", "A");
  const std::string local = local_header(a) + a.data;
  const std::string record = central_record(a, 0, false);
  const std::string end = end_record(1, record.size(), local.size());
  BOOST_TEST(has(refused(replaced(local + record + end, "PK\3\4", "PK\3\5")).message(),
                 "no local header where the directory says"));
  const std::string far = central_record(a, 1'000'000, false);
  BOOST_TEST(has(refused(local + far + end).message(), "begins at byte 1000000, need 0"));
}

BOOST_AUTO_TEST_CASE(refuses_an_extra_field_past_the_next_member) {
  ZipPart part("m/a", "");
  std::string file = zip({part});
  file.replace(28, 2, little(1000, 2));
  BOOST_TEST(has(refused(file).message(), "has no room for its local header"));
}

BOOST_AUTO_TEST_CASE(refuses_a_missing_64_bit_field) {
  const ZipPart a("m/a", "A");
  const std::string local = local_header(a) + a.data;
  std::string record = central_record(a, 0, true);
  record = replaced(record, little(1, 2) + little(24, 2), little(2, 2) + little(24, 2));
  BOOST_TEST(has(refused(local + record + end_record(1, record.size(), local.size())).message(),
                 "lacks the zip64 field"));
  record = replaced(central_record(a, 0, true), little(1, 2) + little(24, 2) + little(1, 8),
                    little(1, 2) + little(24, 2) + little(2, 8));
  BOOST_TEST(has(refused(local + record + end_record(1, record.size(), local.size())).message(),
                 "has two sizes"));
}

BOOST_AUTO_TEST_CASE(refuses_a_directory_without_records) {
  const std::string file = zip({ZipPart("m/a", "A")});
  BOOST_TEST(has(refused(replaced(file, "PK\1\2", "PK\1\3")).message(), "no member's record"));
}

BOOST_AUTO_TEST_CASE(refuses_a_member_with_two_sizes) {
  ZipPart part("m/a", "A");
  const std::string sizes = little(part.crc, 4) + little(1, 4);
  std::string file = zip({part});
  const size_t at = file.rfind(sizes);
  file.replace(at + 4, 4, little(2, 4));
  BOOST_TEST(has(refused(file).message(), "has two sizes, or is on another disk"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
