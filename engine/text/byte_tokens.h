#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/text/component.h"
#include "engine/text/vocabulary.h"

namespace qspec {

// The tokens "<0x00>" to "<0xFF>", into which a model with byte_fallback takes apart what it has no
// token for.
class ByteTokens {
 public:
  // None, unless from's member "byte_fallback" is true. Throws Error(kCheckpoint) when the
  // vocabulary has some of the 256 but not all.
  ByteTokens(const Component& from, const Vocabulary& vocabulary);

  // Calls `add(id)` for each byte of `text`; false, with nothing added, when there are none.
  template <class Add>
  bool spell(std::string_view text, Add&& add) const {
    if (!has_all_) return false;
    for (const char byte : text) add(ids_[static_cast<unsigned char>(byte)]);
    return true;
  }

 private:
  std::array<int32_t, 256> ids_{};
  bool has_all_ = false;
};

}  // namespace qspec
