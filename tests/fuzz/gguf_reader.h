#pragma once

#include <string>
#include <string_view>

#include "engine/checkpoint/gguf.h"
#include "engine/checkpoint/gguf_split.h"
#include "tests/fuzz/readers.h"

namespace qspec::test {

inline void exercise_gguf_split(const FileHeader& header) {
  CheckpointFile part;
  part.path = "model-00001-of-00001.gguf";
  part.values = header.values;
  check_gguf_split({part}, header.tensors);
  const MetadataEntry* count = find_metadata(header.values, "split.count");
  require(count != nullptr, "a part without a count was accepted");
}

// Names of files are short, and their parts as many as five digits count.
inline void exercise_gguf_parts(std::string_view name) {
  for (const std::string& part : gguf_parts(std::string(name.substr(0, 40)))) {
    require(part.size() == std::min<size_t>(name.size(), 40), "a part of another length");
  }
}

// Every tensor that is accepted lies within the file, behind the header, and behind the one before.
inline void exercise_gguf(std::string_view bytes) try {
  exercise_gguf_parts(bytes);
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
  exercise_gguf_split(header);
} catch (const Error& error) {
  check_error(error);
}

}  // namespace qspec::test
