#pragma once

#include <span>
#include <string_view>

#include "engine/checkpoint/file_header.h"
#include "engine/core/byte_source.h"

namespace qspec {

// A kind of file that holds tensors as ranges of its bytes, and the names that transformers gives
// such files in a model folder.
struct Container {
  std::string_view ending;
  std::string_view single;
  std::string_view index;
  FileHeader (*read_header)(const ByteSource&);
};

// In the order in which transformers looks for them.
std::span<const Container> containers();
const Container& preferred_container();

// By the ending of its name; nullptr when it has none of a container.
const Container* container_of_file(std::string_view name);

}  // namespace qspec
