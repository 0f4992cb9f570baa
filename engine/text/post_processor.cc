#include "engine/text/post_processor.h"

#include <string>

#include "engine/text/template_processing.h"

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
  void process(TokenSequences& sequences, bool add_special_tokens) const override {
    for (const PostProcessorPtr& part : parts_) part->process(sequences, add_special_tokens);
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
  void process(TokenSequences&, bool) const override {}
  std::vector<int32_t> special_ids() const override { return {}; }
};

// "[CLS] $A [SEP]" of BERT and RoBERTa, from the time before templates. What else is in there
// concerns offsets and types of tokens, which are not kept here.
class ClsSepProcessing : public PostProcessor {
 public:
  explicit ClsSepProcessing(const Component& from)
      : begin_(id_of(from, "cls")), end_(id_of(from, "sep")) {}

  void process(TokenSequences& sequences, bool add_special_tokens) const override {
    if (!add_special_tokens) return;
    for (std::vector<int32_t>& ids : sequences) {
      if (&ids == &sequences.front()) {
        ids.insert(ids.begin(), begin_);
      } else if (separates_twice()) {
        ids.insert(ids.begin(), end_);
      }
      ids.push_back(end_);
    }
  }

  std::vector<int32_t> special_ids() const override { return {begin_, end_}; }

 private:
  // Whether a later sequence begins with a separator too.
  virtual bool separates_twice() const = 0;

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

class BertProcessing final : public ClsSepProcessing {
 public:
  using ClsSepProcessing::ClsSepProcessing;

 private:
  bool separates_twice() const override { return false; }
};

class RobertaProcessing final : public ClsSepProcessing {
 public:
  using ClsSepProcessing::ClsSepProcessing;

 private:
  bool separates_twice() const override { return true; }
};

template <class T>
PostProcessorPtr make(const Component& from) {
  return std::make_unique<const T>(from);
}

constexpr ComponentType<PostProcessor> kTypes[] = {
    {"Sequence", make<PostProcessorSequence>},        {"ByteLevel", make<ByteLevelPostProcessor>},
    {"TemplateProcessing", make<TemplateProcessing>}, {"BertProcessing", make<BertProcessing>},
    {"RobertaProcessing", make<RobertaProcessing>},
};

}  // namespace

std::unique_ptr<const PostProcessor> make_post_processor(const Component& from) {
  return make_component<PostProcessor>(from, "post-processor", kTypes);
}

}  // namespace qspec
