#include "engine/upload/room.h"

#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

namespace qspec::test {

BOOST_AUTO_TEST_SUITE(room_tests)

BOOST_AUTO_TEST_CASE(places_follow_one_another_at_aligned_positions) {
  Room room(1024);
  BOOST_TEST(room.take(1).value() == 0u);
  BOOST_TEST(room.take(257).value() == 256u);
  BOOST_TEST(room.take(256).value() == 768u);
  BOOST_TEST(!room.take(1).has_value());
}

BOOST_AUTO_TEST_CASE(what_is_given_back_is_given_out_again) {
  Room room(1024);
  const uint64_t first = room.take(512).value();
  room.take(512).value();
  room.give_back(first, 512);
  BOOST_TEST(!room.take(513).has_value());
  BOOST_TEST(room.take(512).value() == first);
}

BOOST_AUTO_TEST_CASE(neighbouring_gaps_become_one_whatever_the_order) {
  for (const std::vector<int>& order : std::vector<std::vector<int>>{
           {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}) {
    Room room(768);
    std::vector<uint64_t> places;
    for (int i = 0; i < 3; ++i) places.push_back(room.take(256).value());
    for (const int i : order) room.give_back(places[static_cast<size_t>(i)], 256);
    BOOST_TEST(room.take(768).has_value());
  }
}

BOOST_AUTO_TEST_CASE(more_than_there_is_finds_no_place) {
  Room room(1000);
  BOOST_TEST(room.bytes() == 768u);
  BOOST_TEST(!room.take(769).has_value());
  BOOST_TEST(!room.take(UINT64_MAX).has_value());
  BOOST_TEST(!Room(0).take(1).has_value());
}

BOOST_AUTO_TEST_CASE(a_request_of_no_bytes_has_a_place_of_its_own) {
  Room room(512);
  BOOST_TEST(room.take(0).value() != room.take(0).value());
}

BOOST_AUTO_TEST_CASE(places_never_overlap_and_all_room_comes_back) {
  std::mt19937 random(3);
  Room room(1 << 16);
  std::vector<std::pair<uint64_t, uint64_t>> taken;
  for (int round = 0; round < 5000; ++round) {
    const uint64_t bytes = random() % 9000;
    if (const auto place = room.take(bytes); place && random() % 2 == 0) {
      for (const auto& [other, length] : taken) {
        BOOST_REQUIRE((*place >= other + length || other >= *place + room_for(bytes)));
      }
      taken.emplace_back(*place, room_for(bytes));
    } else if (place) {
      room.give_back(*place, bytes);
    }
    if (!taken.empty() && random() % 3 == 0) {
      std::swap(taken[random() % taken.size()], taken.back());
      room.give_back(taken.back().first, taken.back().second);
      taken.pop_back();
    }
  }
  for (const auto& [place, length] : taken) room.give_back(place, length);
  BOOST_TEST(room.take(1 << 16).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
