#include "engine/text/normalizer.h"

#include <utility>
#include <vector>

#include "engine/text/byte_level.h"
#include "engine/text/map_characters.h"
#include "engine/text/normalizer_types.h"
#include "engine/text/pattern.h"
#include "engine/text/unicode.h"
#include "engine/text/utf8.h"

namespace qspec {
namespace {

using NormalizerPtr = std::unique_ptr<const Normalizer>;

class NormalizerSequence final : public Normalizer {
 public:
  explicit NormalizerSequence(const Component& from) {
    for (const Component& part : from.objects("normalizers")) {
      parts_.push_back(make_normalizer(part));
    }
  }
  void normalize(TextPiece& piece, const GrowthLimit& limit) const override {
    for (const NormalizerPtr& part : parts_) part->normalize(piece, limit);
  }

 private:
  std::vector<NormalizerPtr> parts_;
};

template <NormalForm form>
class UnicodeNormalizer final : public Normalizer {
 public:
  explicit UnicodeNormalizer(const Component&) {}
  void normalize(TextPiece& piece, const GrowthLimit& limit) const override {
    piece.text = normal_form(piece.text, form);
    limit.check(piece.text.size());
  }
};

class Lowercase final : public Normalizer {
 public:
  explicit Lowercase(const Component&) {}
  void normalize(TextPiece& piece, const GrowthLimit& limit) const override {
    piece.text = lower_case(piece.text);
    limit.check(piece.text.size());
  }
};

class Replace final : public Normalizer {
 public:
  explicit Replace(const Component& from) : pattern_(from), content_(from.text("content")) {}
  void normalize(TextPiece& piece, const GrowthLimit& limit) const override {
    std::string replaced;
    for (const Segment& segment : pattern_.segments(piece.text)) {
      if (segment.is_match) {
        replaced += content_;
        limit.check(replaced.size());
        if (content_.empty() && segment.span.begin == 0 && segment.span.end > 0) {
          piece.at_start = false;
        }
      } else {
        replaced.append(piece.text, segment.span.begin, segment.span.end - segment.span.begin);
      }
    }
    piece.text = std::move(replaced);
  }

 private:
  Pattern pattern_;
  std::string content_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(const Component& from) : prefix_(from.text("prepend")) {}
  void normalize(TextPiece& piece, const GrowthLimit& limit) const override {
    if (piece.text.empty()) return;
    limit.check(piece.text.size() + prefix_.size());
    piece.text.insert(0, prefix_);
  }

 private:
  std::string prefix_;
};

class Strip final : public Normalizer {
 public:
  explicit Strip(const Component& from)
      : left_(from.boolean("strip_left")), right_(from.boolean("strip_right")) {}
  void normalize(TextPiece& piece, const GrowthLimit&) const override {
    std::string& text = piece.text;
    size_t end = text.size();
    while (right_ && end > 0) {
      const Utf8Char last = utf8_before(text, end);
      if (!is_white_space(last.code)) break;
      end -= last.bytes;
    }
    size_t begin = 0;
    while (left_ && begin < end) {
      const Utf8Char first = utf8_at(text, begin);
      if (!is_white_space(first.code)) break;
      begin += first.bytes;
    }
    if (begin > 0) piece.at_start = false;
    text.resize(end);
    text.erase(0, begin);
  }

 private:
  bool left_;
  bool right_;
};

class StripAccents final : public Normalizer {
 public:
  explicit StripAccents(const Component&) {}
  void normalize(TextPiece& piece, const GrowthLimit&) const override {
    map_characters(
        piece, [](char32_t code) { return is_mark(code) ? std::nullopt : std::optional(code); });
  }
};

class ByteLevelNormalizer final : public Normalizer {
 public:
  explicit ByteLevelNormalizer(const Component&) {}
  void normalize(TextPiece& piece, const GrowthLimit& limit) const override {
    piece.text = byte_level_text(piece.text);
    limit.check(piece.text.size());
  }
};

template <class T>
NormalizerPtr make(const Component& from) {
  return std::make_unique<const T>(from);
}

constexpr ComponentType<Normalizer> kTypes[] = {
    {"Sequence", make<NormalizerSequence>},
    {"NFC", make<UnicodeNormalizer<NormalForm::kNfc>>},
    {"NFD", make<UnicodeNormalizer<NormalForm::kNfd>>},
    {"NFKC", make<UnicodeNormalizer<NormalForm::kNfkc>>},
    {"NFKD", make<UnicodeNormalizer<NormalForm::kNfkd>>},
    {"Lowercase", make<Lowercase>},
    {"Replace", make<Replace>},
    {"Prepend", make<Prepend>},
    {"Strip", make<Strip>},
    {"StripAccents", make<StripAccents>},
    {"ByteLevel", make<ByteLevelNormalizer>},
    {"BertNormalizer", make_bert_normalizer},
    {"Nmt", make_nmt_normalizer},
    {"Precompiled", make_precompiled_normalizer},
};

}  // namespace

std::unique_ptr<const Normalizer> make_normalizer(const Component& from) {
  return make_component<Normalizer>(from, "normalizer", kTypes);
}

}  // namespace qspec
