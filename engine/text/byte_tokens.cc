#include "engine/text/byte_tokens.h"

#include <cstdio>
#include <string>

namespace qspec {

ByteTokens::ByteTokens(const Component& from, const Vocabulary& vocabulary) {
  if (!from.boolean("byte_fallback", false)) return;
  std::string missing;
  size_t found = 0;
  for (unsigned byte = 0; byte < ids_.size(); ++byte) {
    char token[7];
    std::snprintf(token, sizeof token, "<0x%02X>", byte);
    if (const auto id = vocabulary.id_of(token)) {
      ids_[byte] = *id;
      ++found;
    } else if (missing.empty()) {
      missing = token;
    }
  }
  has_all_ = found == ids_.size();
  // None at all is a flag without meaning; a hole is damage.
  if (found != 0 && !has_all_) {
    throw from.refusal(ErrorKind::kCheckpoint,
                       std::to_string(ids_.size() - found) + " of the 256 byte tokens are not in " +
                           "the vocabulary, the first is '" + missing + "'",
                       "byte_fallback");
  }
}

}  // namespace qspec
