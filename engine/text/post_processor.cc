#include "engine/text/post_processor.h"

#include <algorithm>
#include <string>
#include <utility>

namespace qspec {
namespace {

using PostProcessorPtr = std::unique_ptr<const PostProcessor>;

class PostProcessorSequence final : public PostProcessor {
 public:
  explicit PostProcessorSequence(const Component& from) {
    for (const Component& part : from.objects("processors")) {
      parts_.push_back(make_post_processor(part));
    }
  }
  void process(std::vector<int32_t>& ids, bool add_special_tokens) const override {
    for (const PostProcessorPtr& part : parts_) part->process(ids, add_special_tokens);
  }
  std::vector<int32_t> special_ids() const override {
    std::vector<int32_t> all;
    for (const PostProcessorPtr& part : parts_) {
      for (const int32_t id : part->special_ids()) all.push_back(id);
    }
    return all;
  }

 private:
  std::vector<PostProcessorPtr> parts_;
};

// Trims offsets, which are not kept here.
class ByteLevelPostProcessor final : public PostProcessor {
 public:
  explicit ByteLevelPostProcessor(const Component&) {}
  void process(std::vector<int32_t>&, bool) const override {}
  std::vector<int32_t> special_ids() const override { return {}; }
};

// "[CLS] $A [SEP]".
class TemplateProcessing final : public PostProcessor {
 public:
  explicit TemplateProcessing(const Component& from) {
    for (const Component& piece : from.objects("single")) {
      if (piece.has("Sequence")) {
        read_sequence(piece.object("Sequence"));
      } else {
        read_special(piece.object("SpecialToken"), from);
      }
    }
  }

  void process(std::vector<int32_t>& ids, bool add_special_tokens) const override {
    const std::vector<int32_t> text = std::exchange(ids, {});
    for (const Part& part : parts_) {
      const bool is_kept = part.is_text || add_special_tokens;
      if (!is_kept) continue;
      const std::vector<int32_t>& added = part.is_text ? text : part.ids;
      ids.insert(ids.end(), added.begin(), added.end());
    }
  }

  std::vector<int32_t> special_ids() const override {
    std::vector<int32_t> all;
    for (const Part& part : parts_) all.insert(all.end(), part.ids.begin(), part.ids.end());
    return all;
  }

 private:
  struct Part {
    bool is_text;
    std::vector<int32_t> ids;
  };

  void read_sequence(const Component& sequence) {
    const std::string& id = sequence.text("id");
    if (id == "B") return;  // the second text of a pair
    const bool is_second =
        std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.is_text; });
    if (id != "A" || is_second) {
      throw sequence.refusal(ErrorKind::kCheckpoint, "found sequence '" + printable(id) +
                                                         "', wanted A once and at most B besides");
    }
    parts_.push_back({true, {}});
  }

  void read_special(const Component& special, const Component& from) {
    const std::string& id = special.text("id");
    const Component known = from.object("special_tokens");
    if (!known.has(id)) {
      throw special.refusal(ErrorKind::kCheckpoint, "the template names '" + printable(id) +
                                                        "', which is not in special_tokens");
    }
    Part part{false, {}};
    const Component token = known.object(id);
    for (const Json& value : token.array("ids")) {
      const std::optional<int32_t> token_id = token_id_of(value);
      if (!token_id) {
        throw token.refusal(ErrorKind::kCheckpoint,
                            "found " + printable(dump_json(value)) + ", wanted a token id", "ids");
      }
      part.ids.push_back(*token_id);
    }
    parts_.push_back(std::move(part));
  }

  std::vector<Part> parts_;
};

// "[CLS] $A [SEP]" of BERT and RoBERTa, from the time before templates. What else is in there
// concerns offsets and types of tokens, which are not kept here.
class ClsSepProcessing final : public PostProcessor {
 public:
  explicit ClsSepProcessing(const Component& from)
      : begin_(id_of(from, "cls")), end_(id_of(from, "sep")) {}

  void process(std::vector<int32_t>& ids, bool add_special_tokens) const override {
    if (!add_special_tokens) return;
    ids.insert(ids.begin(), begin_);
    ids.push_back(end_);
  }

  std::vector<int32_t> special_ids() const override { return {begin_, end_}; }

 private:
  static int32_t id_of(const Component& from, std::string_view key) {
    const Json& pair = from.array(key);
    if (pair.size() == 2 && pair[0].is_string()) {
      if (const auto id = token_id_of(pair[1])) return *id;
    }
    throw from.refusal(ErrorKind::kCheckpoint,
                       "found " + printable(dump_json(pair)) + ", wanted [token, id]", key);
  }

  int32_t begin_;
  int32_t end_;
};

template <class T>
PostProcessorPtr make(const Component& from) {
  return std::make_unique<const T>(from);
}

constexpr ComponentType<PostProcessor> kTypes[] = {
    {"Sequence", make<PostProcessorSequence>},        {"ByteLevel", make<ByteLevelPostProcessor>},
    {"TemplateProcessing", make<TemplateProcessing>}, {"BertProcessing", make<ClsSepProcessing>},
    {"RobertaProcessing", make<ClsSepProcessing>},
};

}  // namespace

std::unique_ptr<const PostProcessor> make_post_processor(const Component& from) {
  return make_component<PostProcessor>(from, "post-processor", kTypes);
}

}  // namespace qspec
