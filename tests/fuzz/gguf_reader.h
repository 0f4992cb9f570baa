#pragma once

#include <string>
#include <string_view>

#include "engine/checkpoint/gguf.h"
#include "tests/fuzz/readers.h"

namespace qspec::test {

// Every tensor that is accepted lies within the file, behind the header, and behind the one before.
inline void exercise_gguf(std::string_view bytes) try {
  const MemoryBytes file(std::string(bytes), "model.gguf");
  const FileHeader header = read_gguf_header(file);
  require(!header.tensors.empty(), "a file without tensors was accepted");
  uint64_t end = header.bytes;
  for (const TensorEntry& entry : header.tensors) {
    require(entry.offset >= end, "an overlap was accepted");
    require(entry.offset <= bytes.size() && entry.bytes <= bytes.size() - entry.offset,
            "a tensor past the end was accepted");
    require(entry.bytes > 0, "a tensor without bytes was accepted");
    end = entry.offset + entry.bytes;
  }
} catch (const Error& error) {
  check_error(error);
}

}  // namespace qspec::test
