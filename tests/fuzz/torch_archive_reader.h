#pragma once

#include <string>
#include <string_view>

#include "engine/checkpoint/torch_archive.h"
#include "tests/fuzz/readers.h"
#include "tests/support/pickle_bytes.h"

namespace qspec::test {

// Every tensor that is accepted lies within the file, in the order of the promise.
inline void exercise_torch_archive(std::string_view bytes) try {
  const MemoryBytes file(std::string(bytes), "pytorch_model.bin");
  const FileHeader header = read_torch_archive(file);
  require(header.bytes <= bytes.size(), "more header than file");
  uint64_t before = 0;
  for (const TensorEntry& entry : header.tensors) {
    require(entry.offset >= before, "tensors out of order");
    require(entry.offset <= bytes.size() && entry.bytes <= bytes.size() - entry.offset,
            "a tensor past the end was accepted");
    before = entry.offset;
  }
} catch (const Error& error) {
  check_error(error);
}

// The bytes as the pickle of an archive that is sound but for it.
inline void exercise_pickle(std::string_view bytes) {
  exercise_torch_archive(torch_archive(std::string(bytes),
                                       {std::string(64, 'a'), std::string(4, 'b'), std::string()}));
}

}  // namespace qspec::test
