#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qspec {

// SentencePiece's compiled replacements: a double array (Aoe 1989, in the units of darts-clone)
// from byte sequences to places in a block of texts, each ended by NUL. The first four bytes are
// the size of the array in bytes, little-endian.
class Charsmap {
 public:
  // Throws Error(kCheckpoint), without a place, when sizes or texts are not what they say.
  explicit Charsmap(std::string_view bytes);

  // What replaces the shortest beginning of `text` that has a replacement. Throws
  // Error(kCheckpoint) when the array or the texts end before that is known.
  std::optional<std::string_view> find(std::string_view text) const;

 private:
  uint32_t unit(size_t node) const;
  std::string_view text_at(uint32_t place) const;

  std::vector<uint32_t> units_;
  std::string texts_;
};

}  // namespace qspec
