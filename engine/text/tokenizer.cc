#include "engine/text/tokenizer.h"

#include <type_traits>
#include <utility>

#include "engine/core/error.h"
#include "engine/core/file.h"
#include "engine/text/added_tokens.h"
#include "engine/text/component.h"
#include "engine/text/decoder.h"
#include "engine/text/growth.h"
#include "engine/text/model.h"
#include "engine/text/normalizer.h"
#include "engine/text/post_processor.h"
#include "engine/text/pre_tokenizer.h"
#include "engine/text/utf8.h"

namespace qspec {
namespace {

constexpr size_t kLongestText = 1u << 30;  // bytes

// nullptr when the file has none.
template <class Base>
std::unique_ptr<const Base> optional_part(const Component& from, std::string_view key,
                                          std::unique_ptr<const Base> (*make)(const Component&)) {
  return from.has(key) ? make(from.object(key)) : nullptr;
}

void refuse_other_version(const Component& from) {
  const std::string version = from.text("version", "1.0");
  if (version == "1.0") return;
  throw from.refusal(ErrorKind::kUnsupported, "found '" + printable(version) + "', wanted '1.0'",
                     "version");
}

void refuse_bad_text(std::string_view text) {
  if (text.size() > kLongestText) {
    throw Error(ErrorKind::kUsage, "text of " + std::to_string(text.size()) +
                                       " bytes, the limit is " + std::to_string(kLongestText));
  }
  if (const auto at = first_invalid_utf8(text)) {
    throw Error(ErrorKind::kUsage, "text is not UTF-8: '" + printable(text.substr(*at, 1)) +
                                       "' at byte " + std::to_string(*at));
  }
}

class Pipeline final : public Tokenizer {
 public:
  explicit Pipeline(const Component& from)
      : normalizer_(optional_part<Normalizer>(from, "normalizer", make_normalizer)),
        pre_tokenizer_(optional_part<PreTokenizer>(from, "pre_tokenizer", make_pre_tokenizer)),
        model_(make_token_model(from.object("model"))),
        post_processor_(optional_part<PostProcessor>(from, "post_processor", make_post_processor)),
        decoder_(optional_part<Decoder>(from, "decoder", make_decoder)),
        added_tokens_(from, model_->vocabulary(), normalizer_.get()),
        file_(from.file()) {
    refuse_unknown_special_ids(from);
    count_tokens();
  }

  std::vector<int32_t> encode(std::string_view text, bool add_special_tokens) const override {
    refuse_bad_text(text);
    return naming_file([&] {
      std::vector<int32_t> ids;
      for (const auto& part : added_tokens_.cut_raw(text)) {
        const size_t size = part.span.end - part.span.begin;
        if (part.id) {
          ids.push_back(*part.id);
        } else {
          append_normalized({std::string(text.substr(part.span.begin, size)), part.span.begin == 0},
                            ids);
        }
      }
      return post_processed(std::move(ids), add_special_tokens);
    });
  }

  std::string decode(std::span<const int32_t> ids, bool skip_special_tokens) const override {
    std::vector<std::string> parts;
    size_t bytes = 0;
    for (const int32_t id : ids) {
      if (id < 0) {
        throw Error(ErrorKind::kUsage, "token id " + std::to_string(id) + " is negative");
      }
      std::optional<std::string> token = token_of(id);
      if (!token || (skip_special_tokens && added_tokens_.is_special(*token))) continue;
      bytes += token->size();
      parts.push_back(std::move(*token));
    }
    if (decoder_ == nullptr) return joined(parts, " ");
    return naming_file([&] {
      decoder_->decode(parts, GrowthLimit(bytes));
      return joined(parts, "");
    });
  }

  size_t vocab_size() const override { return vocab_size_; }

  std::optional<int32_t> id_of(std::string_view token) const override {
    if (const auto id = added_tokens_.id_of(token)) return id;
    return model_->vocabulary().id_of(token);
  }

  std::optional<std::string> token_of(int32_t id) const override {
    if (const std::string* added = added_tokens_.token_of(id)) return *added;
    const auto token = model_->vocabulary().token_of(id);
    if (!token) return std::nullopt;
    return std::string(*token);
  }

 private:
  static std::string joined(const std::vector<std::string>& parts, std::string_view between) {
    std::string text;
    for (size_t i = 0; i < parts.size(); ++i) {
      if (i > 0) text += between;
      text += parts[i];
    }
    return text;
  }

  std::vector<int32_t> post_processed(std::vector<int32_t> ids, bool add_special_tokens) const {
    if (post_processor_ == nullptr) return ids;
    TokenSequences sequences;
    sequences.push_back(std::move(ids));
    post_processor_->process(sequences, add_special_tokens);
    std::vector<int32_t> all;
    for (std::vector<int32_t>& sequence : sequences) {
      if (all.empty()) {
        all = std::move(sequence);
      } else {
        all.insert(all.end(), sequence.begin(), sequence.end());
      }
    }
    return all;
  }

  // Adds the file to errors of components that have no text of their own to point at.
  template <class Body>
  std::invoke_result_t<Body> naming_file(Body&& body) const {
    try {
      return body();
    } catch (Error& error) {
      if (error.where().empty()) error.at(printable_path(file_));
      throw;
    }
  }

  void refuse_unknown_special_ids(const Component& from) const {
    if (post_processor_ == nullptr) return;
    for (const int32_t id : post_processor_->special_ids()) {
      if (token_of(id)) continue;
      throw from.refusal(ErrorKind::kCheckpoint,
                         "adds token id " + std::to_string(id) + ", which no token has",
                         "post_processor");
    }
  }

  void count_tokens() {
    vocab_size_ = model_->vocabulary().size();
    for (const int32_t id : added_tokens_.ids()) {
      if (!model_->vocabulary().token_of(id)) ++vocab_size_;
    }
  }

  void append_normalized(TextPiece piece, std::vector<int32_t>& ids) const {
    const GrowthLimit limit(piece.text.size());
    if (normalizer_ != nullptr) normalizer_->normalize(piece, limit);
    for (const auto& part : added_tokens_.cut_normalized(piece.text)) {
      if (part.id) {
        ids.push_back(*part.id);
        continue;
      }
      std::vector<TextPiece> pieces = {
          {piece.text.substr(part.span.begin, part.span.end - part.span.begin),
           piece.at_start && part.span.begin == 0}};
      if (pre_tokenizer_ != nullptr) pre_tokenizer_->split(pieces, limit);
      for (const TextPiece& one : pieces) model_->tokenize(one.text, ids);
    }
  }

  std::unique_ptr<const Normalizer> normalizer_;
  std::unique_ptr<const PreTokenizer> pre_tokenizer_;
  std::unique_ptr<const TokenModel> model_;
  std::unique_ptr<const PostProcessor> post_processor_;
  std::unique_ptr<const Decoder> decoder_;
  AddedTokens added_tokens_;
  std::string file_;
  size_t vocab_size_ = 0;
};

}  // namespace

std::shared_ptr<const Tokenizer> Tokenizer::from_json(const Json& tokenizer,
                                                      const std::string& file) {
  const Component from(tokenizer, file, "");
  refuse_other_version(from);
  return std::make_shared<const Pipeline>(from);
}

std::shared_ptr<const Tokenizer> Tokenizer::from_file(const std::string& path) {
  return from_text(read_text_file(path, JsonLimits().bytes), path);
}

std::shared_ptr<const Tokenizer> Tokenizer::from_text(std::string_view text,
                                                      const std::string& file) {
  return from_json(parse_json(text, file, JsonLimits()), file);
}

}  // namespace qspec
