#pragma once

#include "engine/text/model.h"
#include "engine/text/unknown_token.h"

namespace qspec {

// One token a piece, or the unknown one.
class WordLevel final : public TokenModel {
 public:
  explicit WordLevel(const Component& from);

  void tokenize(std::string_view piece, std::vector<int32_t>& ids) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  Vocabulary vocabulary_;
  UnknownToken unknown_;
};

}  // namespace qspec
