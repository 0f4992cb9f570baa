#pragma once

#include <optional>
#include <string>
#include <utility>

#include "engine/text/normalizer.h"
#include "engine/text/utf8.h"

namespace qspec {

// Puts `map(code)`, an optional code, in the place of each character of `piece`.
template <class Map>
void map_characters(TextPiece& piece, Map&& map) {
  std::string mapped;
  mapped.reserve(piece.text.size());
  for (size_t at = 0; at < piece.text.size();) {
    const Utf8Char found = utf8_at(piece.text, at);
    if (const std::optional<char32_t> code = map(found.code)) {
      append_utf8(mapped, *code);
    } else if (at == 0) {
      piece.at_start = false;
    }
    at += found.bytes;
  }
  piece.text = std::move(mapped);
}

}  // namespace qspec
