#include "engine/upload/upload.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "engine/upload/uploaded.h"
#include "tests/engine/upload/host_device.h"
#include "tests/support/refusal.h"
#include "tests/support/safetensors_bytes.h"
#include "tests/support/temporary_folder.h"

namespace qspec::test {
namespace {

constexpr uint64_t kTensors = 12;
constexpr uint64_t kBytes = 50'000;  // of each: no multiple of a page

std::string name_of(uint64_t i) {
  return "t" + std::to_string(i);
}

std::string content_of(uint64_t i) {
  std::string text(kBytes, '\0');
  for (size_t k = 0; k < kBytes; ++k) text[k] = static_cast<char>(k * (2 * i + 1) >> 3);
  return text;
}

struct Model {
  Model() {
    std::string header = "{", data;
    for (uint64_t i = 0; i < kTensors; ++i) {
      header += (i == 0 ? "\"" : ",\"") + name_of(i) + R"(":{"dtype":"U8","shape":[)" +
                std::to_string(kBytes) + R"(],"data_offsets":[)" + std::to_string(data.size()) +
                "," + std::to_string(data.size() + kBytes) + "]}";
      data += content_of(i);
    }
    header += R"(,"empty":{"dtype":"U8","shape":[0],"data_offsets":[)" +
              std::to_string(data.size()) + "," + std::to_string(data.size()) + "]}}";
    path = folder.write("model.safetensors", safetensors(header, data));
    checkpoint = Checkpoint::open(path);
  }

  TemporaryFolder folder;
  std::string path;
  std::shared_ptr<Checkpoint> checkpoint;
};

std::vector<UploadItem> all_items(bool kept) {
  std::vector<UploadItem> items;
  for (uint64_t i = 0; i < kTensors; ++i) items.push_back({name_of(i), kept});
  return items;
}

constexpr UploadLimits kSmall{.window_share = 0.5, .piece_bytes = 16 * kPageBytes, .threads = 3};

bool holds_content(const std::byte* data, uint64_t i) {
  return std::memcmp(data, content_of(i).data(), kBytes) == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(upload_tests)

BOOST_AUTO_TEST_CASE(every_tensor_arrives_whole) {
  const Model model;
  const auto device = std::make_shared<HostDevice>(1 << 30);
  {
    Upload upload(model.checkpoint, all_items(true), kSmall, [&] { return device; });
    for (uint64_t i = 0; i < kTensors; ++i) {
      BOOST_TEST(holds_content(upload.take(name_of(i)).value(), i));
    }
    BOOST_TEST(device->staging == 2 * 3 * kSmall.piece_bytes);
    BOOST_TEST(device->allocated == kTensors * room_for(kBytes));
  }
  BOOST_TEST(device->blocks() == 0u);
}

// With pieces of a page every tensor is the work of several readers.
BOOST_AUTO_TEST_CASE(what_is_taken_is_behind_the_copies_of_all_readers) {
  const Model model;
  constexpr UploadLimits kFine{.window_share = 0.5, .piece_bytes = kPageBytes, .threads = 4};
  for (int round = 0; round < 20; ++round) {
    const auto device = std::make_shared<HostDevice>(1 << 30);
    Upload upload(model.checkpoint, all_items(true), kFine, [&] { return device; });
    for (uint64_t i = 0; i < kTensors; ++i) {
      BOOST_TEST(holds_content(upload.take(name_of(i)).value(), i));
    }
  }
}

BOOST_AUTO_TEST_CASE(places_are_aligned_for_kernels) {
  const Model model;
  const auto device = std::make_shared<HostDevice>(1 << 30);
  Upload upload(model.checkpoint, all_items(true), kSmall, [&] { return device; });
  const std::byte* first = upload.take(name_of(0)).value();
  for (uint64_t i = 0; i < kTensors; ++i) {
    BOOST_TEST((upload.take(name_of(i)).value() - first) % 256 == 0);
  }
}

BOOST_AUTO_TEST_CASE(tensors_pass_through_a_window_that_holds_two) {
  const Model model;
  const auto device = std::make_shared<HostDevice>(4 * room_for(kBytes));
  Upload upload(model.checkpoint, all_items(false), kSmall, [&] { return device; });
  for (uint64_t i = 0; i < kTensors; ++i) {
    BOOST_TEST(holds_content(upload.take(name_of(i)).value(), i));
    upload.give_back(name_of(i));
  }
  BOOST_TEST(device->allocated == 2 * room_for(kBytes));
  BOOST_TEST(device->waits_for_work == static_cast<int>(kTensors));
}

BOOST_AUTO_TEST_CASE(a_tensor_that_only_the_caller_can_make_room_for_is_nothing) {
  const Model model;
  const auto device = std::make_shared<HostDevice>(4 * room_for(kBytes));
  Upload upload(model.checkpoint, all_items(false), kSmall, [&] { return device; });
  BOOST_TEST(!upload.take(name_of(7)).has_value());  // two that nobody took are before it
  upload.skip(name_of(7));
  for (uint64_t i = 0; i < kTensors; ++i) {
    if (i == 7) continue;
    BOOST_TEST(holds_content(upload.take(name_of(i)).value(), i));
    upload.give_back(name_of(i));
  }
  BOOST_TEST(!upload.take(name_of(7)).has_value());
}

BOOST_AUTO_TEST_CASE(a_tensor_longer_than_the_window_does_not_come) {
  const Model model;
  const auto device = std::make_shared<HostDevice>(room_for(kBytes));
  Upload upload(model.checkpoint, all_items(false), kSmall, [&] { return device; });
  BOOST_TEST(!upload.take(name_of(0)).has_value());
}

BOOST_AUTO_TEST_CASE(what_was_given_back_is_gone_and_what_is_kept_stays) {
  const Model model;
  const auto device = std::make_shared<HostDevice>(1 << 30);
  Upload upload(model.checkpoint, {{name_of(0), true}, {name_of(1), false}}, kSmall,
                [&] { return device; });
  for (uint64_t i = 0; i < 2; ++i) {
    upload.take(name_of(i)).value();
    upload.give_back(name_of(i));
  }
  BOOST_TEST(holds_content(upload.take(name_of(0)).value(), 0));
  BOOST_TEST(!upload.take(name_of(1)).has_value());
}

BOOST_AUTO_TEST_CASE(a_tensor_of_no_bytes_is_there_at_once) {
  const Model model;
  const auto device = std::make_shared<HostDevice>(1 << 30);
  Upload upload(model.checkpoint, {{"empty", true}}, kSmall, [&] { return device; });
  BOOST_TEST(upload.take("empty").has_value());
}

BOOST_AUTO_TEST_CASE(memory_that_is_not_there_is_the_error_of_who_takes) {
  const Model model;
  const auto device = std::make_shared<HostDevice>(1000);
  Upload upload(model.checkpoint, all_items(true), kSmall, [&] { return device; });
  const Error error = refusal([&] { upload.take(name_of(3)); });
  BOOST_TEST((error.kind() == ErrorKind::kDevice));
  BOOST_TEST(device->blocks() == 1u);  // staging, until the Upload ends
}

BOOST_AUTO_TEST_CASE(a_device_that_cannot_be_made_is_the_error_of_who_takes) {
  const Model model;
  Upload upload(model.checkpoint, all_items(true), kSmall, []() -> std::shared_ptr<UploadDevice> {
    throw Error(ErrorKind::kDevice, "no driver");
  });
  BOOST_TEST(refusal([&] { upload.take(name_of(0)); }).message() == "no driver");
  BOOST_TEST(refusal([&] { upload.device_number(); }).message() == "no driver");
}

BOOST_AUTO_TEST_CASE(a_copy_that_fails_is_the_error_of_who_takes) {
  const Model model;
  const auto device = std::make_shared<HostDevice>(1 << 30);
  int copies = 0;
  std::mutex mutex;
  device->on_copy = [&] {
    const std::lock_guard lock(mutex);
    if (++copies == 5) throw Error(ErrorKind::kDevice, "the device is lost");
  };
  Upload upload(model.checkpoint, all_items(true), kSmall, [&] { return device; });
  BOOST_TEST(refusal([&] {
               for (uint64_t i = 0; i < kTensors; ++i) upload.take(name_of(i));
             }).message() == "the device is lost");
}

BOOST_AUTO_TEST_CASE(a_file_that_shrank_is_the_error_of_who_takes) {
  const Model model;
  std::filesystem::resize_file(model.path, 100'000);
  const auto device = std::make_shared<HostDevice>(1 << 30);
  Upload upload(model.checkpoint, all_items(true), kSmall, [&] { return device; });
  BOOST_TEST((refusal([&] { upload.take(name_of(kTensors - 1)); }).kind() == ErrorKind::kIo));
}

BOOST_AUTO_TEST_CASE(an_upload_that_waits_for_room_can_be_ended) {
  const Model model;
  const auto device = std::make_shared<HostDevice>(4 * room_for(kBytes));
  {
    Upload upload(model.checkpoint, all_items(false), kSmall, [&] { return device; });
  }
  BOOST_TEST(device->blocks() == 0u);
}

BOOST_AUTO_TEST_CASE(a_checkpoint_on_its_way_reads_as_its_files_and_holds_what_is_uploaded) {
  const Model model;
  const auto device = std::make_shared<HostDevice>(1 << 30);
  const auto upload =
      std::make_shared<Upload>(model.checkpoint, std::vector<UploadItem>{{name_of(1), true}},
                               kSmall, [&] { return device; });
  const UploadedCheckpoint uploaded(model.checkpoint, upload);
  BOOST_TEST(uploaded.held(*uploaded.find(name_of(0))) == nullptr);
  const auto held = uploaded.held(*uploaded.find(name_of(1)));
  BOOST_REQUIRE(held != nullptr);
  std::string part(10, '\0');
  held->read_at(5, std::as_writable_bytes(std::span(part)));
  BOOST_TEST(part == content_of(1).substr(5, 10));
  BOOST_TEST(uploaded.tensors().size() == kTensors + 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
