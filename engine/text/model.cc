#include "engine/text/model.h"

#include "engine/text/bpe.h"
#include "engine/text/unigram.h"
#include "engine/text/word_level.h"
#include "engine/text/word_piece.h"

namespace qspec {
namespace {

template <class T>
std::unique_ptr<const TokenModel> make(const Component& from) {
  return std::make_unique<const T>(from);
}

constexpr ComponentType<TokenModel> kTypes[] = {
    {"BPE", make<Bpe>},
    {"Unigram", make<Unigram>},
    {"WordPiece", make<WordPiece>},
    {"WordLevel", make<WordLevel>},
};

// Files older than the field "type" are told apart by what only one model has.
std::unique_ptr<const TokenModel> make_untyped(const Component& from) {
  if (from.has("merges")) return make<Bpe>(from);
  if (from.has("vocab") && from.json()["vocab"].is_array()) return make<Unigram>(from);
  if (from.has("max_input_chars_per_word")) return make<WordPiece>(from);
  return make<WordLevel>(from);
}

}  // namespace

std::unique_ptr<const TokenModel> make_token_model(const Component& from) {
  if (!from.has("type")) return make_untyped(from);
  return make_component<TokenModel>(from, "model", kTypes);
}

}  // namespace qspec
