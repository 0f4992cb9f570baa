#include <boost/test/unit_test.hpp>

#include "engine/checkpoint/checkpoint.h"
#include "tests/support/gguf_bytes.h"
#include "tests/support/refusal.h"
#include "tests/support/safetensors_bytes.h"
#include "tests/support/temporary_folder.h"

namespace qspec::test {
namespace {

// Over a file of two tensors: a is "AA", b is "B".
struct Fixture {
  Fixture() {
    const std::string header =
        "{" + entry("a", "U8", "[2]", 0, 2) + "," + entry("b", "U8", "[1]", 2, 3) + "}";
    base = Checkpoint::open(folder.write("m.safetensors", safetensors(header, "AAB")));
    overlay = Overlay::over(base);
  }

  static std::vector<std::byte> bytes(std::string_view text) {
    const auto view = std::as_bytes(std::span(text));
    return {view.begin(), view.end()};
  }

  std::string content(std::string_view name) const {
    const TensorEntry* entry = overlay->find(name);
    BOOST_REQUIRE(entry != nullptr);
    std::string data(entry->bytes, '\0');
    overlay->read(*entry, 0, std::as_writable_bytes(std::span(data)));
    return data;
  }

  std::string names() const {
    std::string text;
    for (const TensorEntry& entry : overlay->tensors()) text += entry.name + " ";
    return text;
  }

  TemporaryFolder folder;
  std::shared_ptr<const Checkpoint> base;
  std::shared_ptr<Overlay> overlay;
};

// Bytes that are somewhere else than in memory or in a file.
class Elsewhere final : public ByteSource {
 public:
  const std::string& path() const override { return path_; }
  uint64_t size() const override { return 3; }
  void read_at(uint64_t offset, std::span<std::byte> out) const override {
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = std::byte{static_cast<uint8_t>(7 + offset + i)};
  }

 private:
  std::string path_ = "elsewhere";
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(overlay_tests, Fixture)

BOOST_AUTO_TEST_CASE(shows_the_base_until_something_changes) {
  BOOST_TEST(names() == "a b ");
  BOOST_TEST(content("a") == "AA");
  BOOST_TEST(overlay->path() == base->path());
  BOOST_TEST(overlay->files().size() == 1u);
  BOOST_TEST(overlay->problems().empty());
}

BOOST_AUTO_TEST_CASE(replaces_a_tensor_and_leaves_the_base_alone) {
  overlay->put("a", Dtype::kU8, {3}, bytes("new"));
  BOOST_TEST(names() == "b a ");
  BOOST_TEST(content("a") == "new");
  BOOST_TEST(overlay->find("a")->file == kInMemory);
  BOOST_TEST(base->find("a")->bytes == 2u);
}

BOOST_AUTO_TEST_CASE(adds_tensors_and_lists_them_last_by_name) {
  overlay->put("z", Dtype::kF16, {1}, bytes("zz"));
  overlay->put("c", Dtype::kU8, {}, bytes("c"));
  BOOST_TEST(names() == "a b c z ");
  BOOST_TEST((overlay->find("z")->dtype == Dtype::kF16));
}

BOOST_AUTO_TEST_CASE(replaces_its_own_tensor) {
  overlay->put("c", Dtype::kU8, {1}, bytes("1"));
  overlay->put("c", Dtype::kU8, {2}, bytes("22"));
  BOOST_TEST(content("c") == "22");
  BOOST_TEST(names() == "a b c ");
}

BOOST_AUTO_TEST_CASE(drops_a_tensor_of_the_base) {
  overlay->drop("a");
  BOOST_TEST(names() == "b ");
  BOOST_TEST(overlay->find("a") == nullptr);
}

BOOST_AUTO_TEST_CASE(drops_its_own_tensor_and_does_not_uncover_what_it_replaced) {
  overlay->put("a", Dtype::kU8, {1}, bytes("1"));
  overlay->drop("a");
  BOOST_TEST(overlay->find("a") == nullptr);
  BOOST_TEST(names() == "b ");
}

BOOST_AUTO_TEST_CASE(takes_back_a_name_that_was_dropped) {
  overlay->drop("a");
  overlay->put("a", Dtype::kU8, {1}, bytes("1"));
  BOOST_TEST(content("a") == "1");
}

BOOST_AUTO_TEST_CASE(lists_again_after_each_change) {
  BOOST_TEST(names() == "a b ");
  overlay->drop("b");
  BOOST_TEST(names() == "a ");
}

BOOST_AUTO_TEST_CASE(may_stand_on_another_overlay) {
  overlay->put("c", Dtype::kU8, {1}, bytes("c"));
  const auto upper = Overlay::over(overlay);
  upper->put("d", Dtype::kU8, {1}, bytes("d"));
  std::string data(1, '\0');
  upper->read(*upper->find("c"), 0, std::as_writable_bytes(std::span(data)));
  BOOST_TEST(data == "c");
  BOOST_TEST(upper->tensors().size() == 4u);
}

BOOST_AUTO_TEST_CASE(refuses_data_that_does_not_fill_the_shape) {
  const Error error = refusal([&] { overlay->put("c", Dtype::kF32, {2}, bytes("1234567")); });
  BOOST_TEST((error.kind() == ErrorKind::kSpec));
  BOOST_TEST(error.message() == "tensor 'c' is given 7 bytes, its dtype and shape need 8");
  BOOST_TEST(overlay->find("c") == nullptr);
}

BOOST_AUTO_TEST_CASE(reads_a_part_and_refuses_to_read_past_the_end) {
  overlay->put("c", Dtype::kU8, {4}, bytes("0123"));
  std::string part(2, '\0');
  overlay->read(*overlay->find("c"), 1, std::as_writable_bytes(std::span(part)));
  BOOST_TEST(part == "12");
  const Error error = refusal(
      [&] { overlay->read(*overlay->find("c"), 3, std::as_writable_bytes(std::span(part))); });
  BOOST_TEST(error.message() == "read of 2 bytes at byte 3 of tensor 'c', which has 4");
}

BOOST_AUTO_TEST_CASE(files_are_as_large_as_the_tensors_make_them) {
  const uint64_t before = base->files()[0].size;
  overlay->put("a", Dtype::kU8, {5}, bytes("12345"));
  overlay->put("c", Dtype::kU8, {2}, bytes("xy"));
  overlay->drop("b");
  BOOST_TEST(overlay->files()[0].size == before + 3 + 2 - 1);
  BOOST_TEST(base->files()[0].size == before);
}

BOOST_AUTO_TEST_CASE(files_of_an_overlay_on_an_overlay_are_measured_too) {
  overlay->put("c", Dtype::kU8, {2}, bytes("xy"));
  const auto upper = Overlay::over(overlay);
  upper->drop("c");
  upper->put("d", Dtype::kU8, {7}, bytes("1234567"));
  BOOST_TEST(upper->files()[0].size == base->files()[0].size + 7);
}

BOOST_AUTO_TEST_CASE(an_index_that_is_true_of_the_placed_tensors_has_no_problems) {
  overlay->place("b", "other.safetensors");
  overlay->set_index(R"({"metadata": {"total_size": 3},
                         "weight_map": {"a": "m.safetensors", "b": "other.safetensors"}})");
  BOOST_TEST(overlay->problems().empty());
}

BOOST_AUTO_TEST_CASE(an_index_is_held_against_the_tensors_as_they_were_changed) {
  overlay->set_index(R"({"metadata": {"total_size": 3},
                         "weight_map": {"a": "m.safetensors", "b": "other.safetensors",
                                        "ghost": "m.safetensors"}})");
  overlay->put("c", Dtype::kU8, {1}, bytes("c"));
  std::string kinds;
  for (const CheckpointProblem& problem : overlay->problems()) {
    kinds += problem.kind + ":" + problem.key + " ";
  }
  BOOST_TEST(kinds == "unlisted:c misplaced:b ghost:ghost total_size: ");
}

BOOST_AUTO_TEST_CASE(gives_metadata_another_value_and_takes_it_away) {
  GgufFile file;
  file.pairs = {gguf_pair("k", 4, le(7, 4)), gguf_pair("other", 8, gguf_text("x"))};
  file.tensors = {gguf_tensor("w", {8}, 0, 0)};
  file.data = std::string(32, 'd');
  const auto model = Checkpoint::open(folder.write("m.gguf", file.bytes()));
  const auto changed = Overlay::over(model);
  changed->set_metadata("k", uint64_t{9});
  changed->set_metadata("other", std::nullopt);
  const auto upper = Overlay::over(changed);
  for (const auto& one : {changed, upper}) {
    const std::vector<MetadataEntry>& values = one->files()[0].values;
    BOOST_TEST(std::get<uint64_t>(find_metadata(values, "k")->value) == 9u);
    BOOST_TEST(find_metadata(values, "other") == nullptr);
  }
  BOOST_TEST(std::get<uint64_t>(find_metadata(model->files()[0].values, "k")->value) == 7u);
  BOOST_TEST(refusal([&] { changed->set_metadata("none", true); }).message() ==
             "there is no metadata 'none'");
}

BOOST_AUTO_TEST_CASE(refuses_a_text_that_is_no_index) {
  BOOST_CHECK_THROW(overlay->set_index("{}"), Error);
}

BOOST_AUTO_TEST_CASE(what_holds_a_tensor_is_given_out_and_read_only_when_asked_for) {
  const auto elsewhere = std::make_shared<const Elsewhere>();
  overlay->put("e", Dtype::kU8, {3}, elsewhere);
  BOOST_TEST((overlay->held(*overlay->find("e")) == elsewhere));
  std::array<std::byte, 2> read{};
  overlay->read(*overlay->find("e"), 1, read);
  BOOST_TEST((read[0] == std::byte{8} && read[1] == std::byte{9}));
  const TensorEntry& of_base = overlay->tensors().front();
  BOOST_TEST((overlay->held(of_base) == nullptr));
}

BOOST_AUTO_TEST_CASE(a_source_of_the_wrong_length_is_refused) {
  const Error error =
      refusal([&] { overlay->put("e", Dtype::kF16, {3}, std::make_shared<const Elsewhere>()); });
  BOOST_TEST((error.kind() == ErrorKind::kSpec));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
