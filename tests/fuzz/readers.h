#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "engine/checkpoint/safetensors.h"
#include "engine/checkpoint/shard_index.h"
#include "engine/core/error.h"
#include "engine/core/json.h"
#include "tests/support/memory_bytes.h"

// What each reader must hold to for any bytes whatever: it accepts, and what it returns is sound,
// or it throws an Error that a person can read. Anything else leaves these functions as another
// exception, which ends the fuzzer and fails the replay of the corpus.
namespace qspec::test {

inline void require(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

// One line of a bounded length, with a place, without control characters.
inline void check_error(const Error& error) {
  for (const std::string& text : {error.message(), error.where(), error.hint()}) {
    require(text.size() < 4096, "an error text of 4 KB");
    for (const char byte : text) {
      require(static_cast<unsigned char>(byte) >= 0x20, "a control character in an error");
    }
  }
  require(!error.message().empty() && !error.where().empty(), "an error without text or place");
  require(error.kind() == ErrorKind::kCheckpoint || error.kind() == ErrorKind::kUnsupported,
          "an error that does not blame the file");
}

inline void exercise_safetensors_header(std::string_view bytes) try {
  const MemoryBytes file{std::string(bytes)};
  const SafetensorsHeader header = read_safetensors_header(file);
  uint64_t end = header.bytes;
  for (const TensorEntry& entry : header.tensors) {
    require(entry.offset == end, "a hole or an overlap was accepted");
    end += entry.bytes;
  }
  require(end == bytes.size(), "bytes that belong to no tensor were accepted");
} catch (const Error& error) {
  check_error(error);
}

inline void exercise_shard_index(std::string_view text) try {
  const ShardIndex index = parse_shard_index(text, "index.json");
  for (const ShardIndex::Shard& shard : index.shards) {
    const std::string path = "/" + shard.file + "/";
    require(shard.file.front() != '/' && path.find("/../") == path.npos,
            "a shard outside of the folder was accepted");
    require(index.shard_of.contains(shard.first_tensor), "a shard of an unknown tensor");
  }
  require(index.names.size() == index.shard_of.size(), "a tensor was placed twice");
} catch (const Error& error) {
  check_error(error);
}

inline void exercise_json(std::string_view text) try {
  const Json json = parse_json(text, "config.json");
  const std::string written = dump_json(json);
  require(parse_json(written, "config.json") == json, "a value changed on the way out and in");
} catch (const Error& error) {
  check_error(error);
}

}  // namespace qspec::test
