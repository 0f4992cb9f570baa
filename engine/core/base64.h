#pragma once

#include <string>
#include <string_view>

namespace qspec {

// The bytes that `text` spells in base64 (RFC 4648, section 4), padded. Throws Error(kCheckpoint),
// without a place, naming the first byte of `text` that does not belong there.
std::string base64_decode(std::string_view text);

}  // namespace qspec
