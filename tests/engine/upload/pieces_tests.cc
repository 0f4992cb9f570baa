#include "engine/upload/pieces.h"

#include <boost/test/unit_test.hpp>
#include <random>

namespace qspec::test {
namespace {

constexpr uint64_t kPiece = 4 * kPageBytes;

// Every byte of every range lies in exactly one segment, and the segment where it says.
void check_covered(const std::vector<StoredRange>& ranges, const std::vector<Piece>& pieces) {
  std::vector<uint64_t> next(ranges.size(), 0);
  for (const Piece& piece : pieces) {
    BOOST_TEST(piece.offset % kPageBytes == 0u);
    BOOST_TEST(piece.bytes % kPageBytes == 0u);
    BOOST_TEST(piece.bytes <= kPiece);
    for (const Segment& segment : piece.segments) {
      const StoredRange& range = ranges[segment.range];
      BOOST_TEST(range.file == piece.file);
      BOOST_TEST(segment.begin == next[segment.range]);
      BOOST_TEST(piece.offset + segment.at == range.offset + segment.begin);
      BOOST_TEST(segment.at + segment.bytes <= piece.bytes);
      next[segment.range] += segment.bytes;
    }
  }
  for (size_t i = 0; i < ranges.size(); ++i) BOOST_TEST(next[i] == ranges[i].bytes);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pieces_tests)

BOOST_AUTO_TEST_CASE(a_long_range_is_cut_where_the_piece_size_divides_its_file) {
  const std::vector<StoredRange> ranges = {{0, 100, 3 * kPiece}};
  const auto pieces = pieces_of(ranges, kPiece);
  BOOST_REQUIRE(pieces.size() == 4u);
  BOOST_TEST(pieces[0].offset == 0u);
  BOOST_TEST(pieces[0].segments[0].bytes == kPiece - 100);
  BOOST_TEST(pieces[1].offset == kPiece);
  BOOST_TEST(pieces[3].bytes == kPageBytes);
  check_covered(ranges, pieces);
}

BOOST_AUTO_TEST_CASE(neighbours_share_a_piece) {
  const std::vector<StoredRange> ranges = {{0, 8, 10}, {0, 18, 6}, {0, 24, 5000}};
  const auto pieces = pieces_of(ranges, kPiece);
  BOOST_REQUIRE(pieces.size() == 1u);
  BOOST_TEST(pieces[0].segments.size() == 3u);
  BOOST_TEST(pieces[0].bytes == 2 * kPageBytes);
  check_covered(ranges, pieces);
}

BOOST_AUTO_TEST_CASE(ranges_of_two_files_never_share_a_piece) {
  const std::vector<StoredRange> ranges = {{0, 0, 10}, {1, 10, 10}};
  BOOST_TEST(pieces_of(ranges, kPiece).size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_range_that_is_alone_shares_with_neither_neighbour) {
  const std::vector<StoredRange> ranges = {{0, 8, 10}, {0, 18, 6, true}, {0, 24, 50}};
  const auto pieces = pieces_of(ranges, kPiece);
  BOOST_TEST(pieces.size() == 3u);
  check_covered(ranges, pieces);
}

BOOST_AUTO_TEST_CASE(the_order_of_the_ranges_stays_where_the_file_has_another) {
  const std::vector<StoredRange> ranges = {{0, 3 * kPiece, 10}, {0, 0, 10}, {0, kPiece, 10}};
  const auto pieces = pieces_of(ranges, kPiece);
  BOOST_REQUIRE(pieces.size() == 3u);
  BOOST_TEST(pieces[0].offset == 3 * kPiece);
  BOOST_TEST(pieces[1].offset == 0u);
}

BOOST_AUTO_TEST_CASE(a_range_of_no_bytes_has_no_segment) {
  const std::vector<StoredRange> ranges = {{0, 50, 0}};
  BOOST_TEST(pieces_of(ranges, kPiece).empty());
}

BOOST_AUTO_TEST_CASE(every_byte_of_random_ranges_lies_in_one_segment) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<StoredRange> ranges;
    for (int i = 0; i < 30; ++i) {
      ranges.push_back({static_cast<uint32_t>(random() % 3), random() % (20 * kPiece),
                        random() % (3 * kPiece), random() % 3 == 0});
    }
    check_covered(ranges, pieces_of(ranges, kPiece));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
