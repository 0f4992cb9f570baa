#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

#include "engine/checkpoint/safetensors.h"
#include "engine/checkpoint/shard_index.h"
#include "engine/core/error.h"
#include "engine/core/json.h"
#include "engine/core/utf8.h"
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
  const FileHeader header = read_safetensors_header(file);
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
    const auto first = std::ranges::find(index.names, shard.first_tensor);
    require(first != index.names.end(), "a shard of an unknown tensor");
  }
  require(index.names.size() == index.shard_of.size(), "a tensor without a shard");
  for (const uint32_t shard : index.shard_of) {
    require(shard < index.shards.size(), "a shard that is not there");
  }
} catch (const Error& error) {
  check_error(error);
}

// Limits that an input of 4 KB can meet.
inline JsonLimits small_limits() {
  JsonLimits limits;
  limits.bytes = 4000;
  limits.nodes = 1000;
  return limits;
}

inline void exercise_json(std::string_view text) try {
  const Json json = parse_json(text, "config.json", small_limits());
  const std::string written = dump_json(json);
  require(is_utf8(text) && is_utf8(written), "bytes that are no text were accepted or written");
  require(parse_json(written, "config.json") == json, "a value changed on the way out and in");
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Json mixed = Json::array({json, std::nan(""), kInfinity, -kInfinity});
  require(parse_json(dump_json(mixed), "config.json")[0] == json, "NaN changed what is beside it");
} catch (const Error& error) {
  check_error(error);
}

}  // namespace qspec::test
