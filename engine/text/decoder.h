#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/text/component.h"
#include "engine/text/growth.h"

namespace qspec {

// Turns the tokens of a text back into the text: the parts, joined, are it. UTF-8 in and out.
class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual void decode(std::vector<std::string>& parts, const GrowthLimit& limit) const = 0;
};

std::unique_ptr<const Decoder> make_decoder(const Component& from);

}  // namespace qspec
