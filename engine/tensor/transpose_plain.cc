#include <cstring>

#include "engine/tensor/kernel_versions.h"
#include "engine/tensor/line_fields.h"

namespace qspec {

void transpose_tile_plain(const WordTile& tile) {
  for (size_t column = 0; column < WordTile::kWords; ++column) {
    uint8_t* to = tile.to + column * tile.to_stride;
    const uint8_t* from = tile.from + column * sizeof(uint32_t);
    for (size_t row = 0; row < WordTile::kWords; ++row) {
      std::memcpy(to + row * sizeof(uint32_t), from + row * tile.from_stride, sizeof(uint32_t));
    }
  }
}

void transpose_fields_plain(const FieldLines& fields) {
  transpose_lines(fields);
}

}  // namespace qspec
