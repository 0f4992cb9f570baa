#include "engine/text/decoder.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/text/byte_level.h"
#include "engine/text/decoder_types.h"
#include "engine/text/metaspace.h"
#include "engine/text/pattern.h"
#include "engine/text/utf8.h"

namespace qspec {
namespace {

using DecoderPtr = std::unique_ptr<const Decoder>;

class DecoderSequence final : public Decoder {
 public:
  explicit DecoderSequence(const Component& from) {
    for (const Component& part : from.objects("decoders")) parts_.push_back(make_decoder(part));
  }
  void decode(std::vector<std::string>& parts, const GrowthLimit& limit) const override {
    for (const DecoderPtr& part : parts_) part->decode(parts, limit);
  }

 private:
  std::vector<DecoderPtr> parts_;
};

class ByteLevelDecoder final : public Decoder {
 public:
  explicit ByteLevelDecoder(const Component&) {}
  void decode(std::vector<std::string>& parts, const GrowthLimit&) const override {
    std::string bytes;
    for (const std::string& part : parts) {
      if (!append_bytes(part, bytes)) bytes += part;
    }
    parts = {lossy_utf8(bytes)};
  }

 private:
  // False, with `bytes` as they were, when a character of `part` stands for no byte: an added
  // token.
  static bool append_bytes(std::string_view part, std::string& bytes) {
    const size_t size = bytes.size();
    for (size_t at = 0; at < part.size();) {
      const Utf8Char found = utf8_at(part, at);
      const std::optional<char> byte = byte_level_byte(found.code);
      if (!byte) {
        bytes.resize(size);
        return false;
      }
      bytes += *byte;
      at += found.bytes;
    }
    return true;
  }
};

class MetaspaceDecoder final : public Decoder {
 public:
  explicit MetaspaceDecoder(const Component& from)
      : mark_(metaspace_mark(from)),
        drops_first_(metaspace_prepends(from) != MetaspacePrepends::kNever) {}
  void decode(std::vector<std::string>& parts, const GrowthLimit&) const override {
    for (size_t i = 0; i < parts.size(); ++i) {
      const std::string_view space = i == 0 && drops_first_ ? "" : " ";
      std::string text;
      for (const Segment& segment : segments_of_literal(parts[i], mark_)) {
        const TextSpan span = segment.span;
        text += segment.is_match
                    ? space
                    : std::string_view(parts[i]).substr(span.begin, span.end - span.begin);
      }
      parts[i] = std::move(text);
    }
  }

 private:
  std::string mark_;
  bool drops_first_;
};

// The byte that a token "<0x0A>" stands for.
std::optional<char> byte_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  unsigned char byte = 0;
  const char* end = token.data() + 5;
  const auto [stopped, error] = std::from_chars(token.data() + 3, end, byte, 16);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return static_cast<char>(byte);
}

class ByteFallback final : public Decoder {
 public:
  explicit ByteFallback(const Component&) {}
  void decode(std::vector<std::string>& parts, const GrowthLimit&) const override {
    std::vector<std::string> decoded;
    std::string bytes;
    for (std::string& part : parts) {
      if (const std::optional<char> byte = byte_token(part)) {
        bytes += *byte;
        continue;
      }
      flush(bytes, decoded);
      decoded.push_back(std::move(part));
    }
    flush(bytes, decoded);
    parts = std::move(decoded);
  }

 private:
  // One bad byte spoils the whole run.
  static void flush(std::string& bytes, std::vector<std::string>& decoded) {
    if (bytes.empty()) return;
    if (first_invalid_utf8(bytes)) {
      decoded.resize(decoded.size() + bytes.size(), "\xEF\xBF\xBD");
    } else {
      decoded.push_back(bytes);
    }
    bytes.clear();
  }
};

class Fuse final : public Decoder {
 public:
  explicit Fuse(const Component&) {}
  void decode(std::vector<std::string>& parts, const GrowthLimit&) const override {
    std::string fused;
    for (const std::string& part : parts) fused += part;
    parts = {std::move(fused)};
  }
};

class StripDecoder final : public Decoder {
 public:
  explicit StripDecoder(const Component& from)
      : content_(from.text("content")), start_(from.natural("start")), stop_(from.natural("stop")) {
    if (utf8_length(content_) != 1) {
      throw from.refusal(ErrorKind::kCheckpoint,
                         "found '" + printable(content_) + "', wanted one character", "content");
    }
  }
  void decode(std::vector<std::string>& parts, const GrowthLimit&) const override {
    for (std::string& part : parts) {
      std::string_view kept = part;
      for (uint32_t i = 0; i < start_ && kept.starts_with(content_); ++i) {
        kept.remove_prefix(content_.size());
      }
      for (uint32_t i = 0; i < stop_ && kept.ends_with(content_); ++i) {
        kept.remove_suffix(content_.size());
      }
      part = std::string(kept);
    }
  }

 private:
  std::string content_;
  uint32_t start_;
  uint32_t stop_;
};

class ReplaceDecoder final : public Decoder {
 public:
  explicit ReplaceDecoder(const Component& from) : pattern_(from), content_(from.text("content")) {}
  void decode(std::vector<std::string>& parts, const GrowthLimit& limit) const override {
    size_t bytes = 0;
    for (std::string& part : parts) {
      std::string text;
      for (const Segment& segment : pattern_.segments(part)) {
        if (segment.is_match) {
          text += content_;
        } else {
          text.append(part, segment.span.begin, segment.span.end - segment.span.begin);
        }
        limit.check(bytes + text.size());
      }
      bytes += text.size();
      part = std::move(text);
    }
  }

 private:
  Pattern pattern_;
  std::string content_;
};

template <class T>
DecoderPtr make(const Component& from) {
  return std::make_unique<const T>(from);
}

constexpr ComponentType<Decoder> kTypes[] = {
    {"Sequence", make<DecoderSequence>},
    {"ByteLevel", make<ByteLevelDecoder>},
    {"Metaspace", make<MetaspaceDecoder>},
    {"ByteFallback", make<ByteFallback>},
    {"Fuse", make<Fuse>},
    {"Strip", make<StripDecoder>},
    {"Replace", make<ReplaceDecoder>},
    {"WordPiece", make_word_piece_decoder},
    {"BPEDecoder", make_bpe_decoder},
    {"CTC", make_ctc_decoder},
};

}  // namespace

std::unique_ptr<const Decoder> make_decoder(const Component& from) {
  return make_component<Decoder>(from, "decoder", kTypes);
}

}  // namespace qspec
