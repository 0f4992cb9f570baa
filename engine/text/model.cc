#include "engine/text/model.h"

#include "engine/text/bpe.h"

namespace qspec {
namespace {

template <class T>
std::unique_ptr<const TokenModel> make(const Component& from) {
  return std::make_unique<const T>(from);
}

constexpr ComponentType<TokenModel> kTypes[] = {
    {"BPE", make<Bpe>},
};

}  // namespace

std::unique_ptr<const TokenModel> make_token_model(const Component& from) {
  // Files older than the field: only this model has merges.
  if (!from.has("type") && from.has("merges")) return make<Bpe>(from);
  return make_component<TokenModel>(from, "model", kTypes);
}

}  // namespace qspec
