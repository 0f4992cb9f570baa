#pragma once

#include <cstdint>
#include <optional>

#include "engine/text/component.h"
#include "engine/text/vocabulary.h"

namespace qspec {

// What a model puts in the place of text that its vocabulary does not have. A file may name a token
// that is not in the vocabulary ("" often): as in the library that is a fault only once it is
// needed.
class UnknownToken {
 public:
  // Of from's member "unk_token".
  UnknownToken(const Component& from, const Vocabulary& vocabulary);

  bool is_named() const { return id_ || missing_; }
  // Of the token, which is named. Throws Error(kCheckpoint) when the vocabulary does not have it.
  int32_t id() const;

 private:
  std::optional<int32_t> id_;
  std::optional<Error> missing_;
};

}  // namespace qspec
