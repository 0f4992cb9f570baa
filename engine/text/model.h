#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/text/component.h"
#include "engine/text/vocabulary.h"

namespace qspec {

// Turns one piece of text into token ids.
class TokenModel {
 public:
  virtual ~TokenModel() = default;
  // Appends the ids of `piece`, which is UTF-8 and not empty. Safe to call from several threads.
  virtual void tokenize(std::string_view piece, std::vector<int32_t>& ids) const = 0;
  virtual const Vocabulary& vocabulary() const = 0;
};

std::unique_ptr<const TokenModel> make_token_model(const Component& from);

}  // namespace qspec
