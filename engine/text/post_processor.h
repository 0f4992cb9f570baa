#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/text/component.h"

namespace qspec {

// The ids of a text. A template makes one sequence of each of its pieces, and that is how a
// post-processor behind it sees them; in the end they are joined.
using TokenSequences = std::vector<std::vector<int32_t>>;

// Adds special tokens around the ids of one text.
class PostProcessor {
 public:
  virtual ~PostProcessor() = default;
  virtual void process(TokenSequences& sequences, bool add_special_tokens) const = 0;
  // Every id that it can add.
  virtual std::vector<int32_t> special_ids() const = 0;
};

std::unique_ptr<const PostProcessor> make_post_processor(const Component& from);

}  // namespace qspec
