#include "engine/text/unknown_token.h"

namespace qspec {

UnknownToken::UnknownToken(const Component& from, const Vocabulary& vocabulary) {
  if (!from.has("unk_token")) return;
  const std::string& token = from.text("unk_token");
  id_ = vocabulary.id_of(token);
  if (id_) return;
  missing_ = from.refusal(ErrorKind::kCheckpoint,
                          "the text has characters that no token has, and the token for those, '" +
                              printable(token) + "', is not in the vocabulary",
                          "unk_token");
}

int32_t UnknownToken::id() const {
  if (!id_) throw *missing_;
  return *id_;
}

}  // namespace qspec
