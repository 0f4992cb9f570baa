#include <utility>

#include "engine/core/base64.h"
#include "engine/text/charsmap.h"
#include "engine/text/grapheme.h"
#include "engine/text/normalizer_types.h"
#include "engine/text/utf8.h"

namespace qspec {
namespace {

constexpr std::string_view kKey = "precompiled_charsmap";
constexpr size_t kLongestCluster = 5;  // bytes; a longer one is looked up character by character

Charsmap read_charsmap(const Component& from) {
  try {
    return Charsmap(base64_decode(from.text(kKey)));
  } catch (const Error& error) {
    if (!error.where().empty()) throw;
    throw from.refusal(error.kind(), error.message(), kKey);
  }
}

// SentencePiece's compiled rules. A short cluster is replaced whole, though only its beginning may
// have a rule: the accent behind a full-width letter is lost, as in the library.
class PrecompiledNormalizer final : public Normalizer {
 public:
  explicit PrecompiledNormalizer(const Component& from) : charsmap_(read_charsmap(from)) {}

  void normalize(TextPiece& piece, const GrowthLimit& limit) const override {
    const std::string_view text = piece.text;
    std::string normal;
    normal.reserve(text.size());
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = grapheme_end(text, begin);
      append_cluster(text.substr(begin, end - begin), normal);
      limit.check(normal.size());
      begin = end;
    }
    piece.text = std::move(normal);
  }

 private:
  void append_cluster(std::string_view cluster, std::string& normal) const {
    if (cluster.size() <= kLongestCluster) {
      if (const auto replacement = charsmap_.find(cluster)) {
        normal += *replacement;
        return;
      }
    }
    while (!cluster.empty()) {
      const std::string_view character = cluster.substr(0, utf8_at(cluster, 0).bytes);
      normal += charsmap_.find(character).value_or(character);
      cluster.remove_prefix(character.size());
    }
  }

  Charsmap charsmap_;
};

}  // namespace

std::unique_ptr<const Normalizer> make_precompiled_normalizer(const Component& from) {
  return std::make_unique<const PrecompiledNormalizer>(from);
}

}  // namespace qspec
