#pragma once

#include <cstddef>

namespace qspec {

// How far the components of a tokenizer may grow a text: each of a chain of replacements can
// multiply it.
class GrowthLimit {
 public:
  explicit GrowthLimit(size_t input_bytes);

  // Throws Error(kCheckpoint) when `bytes` is more than this input may become.
  void check(size_t bytes) const;

 private:
  size_t input_bytes_;
};

}  // namespace qspec
