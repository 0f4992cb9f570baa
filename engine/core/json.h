#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>

namespace qspec {

// Objects keep the order of the file, so that a config can be written back as it was read.
using Json = nlohmann::ordered_json;

struct JsonLimits {
  size_t bytes = 256u << 20;     // tokenizer.json files reach tens of MB
  size_t depth = 64;             // copying and comparing a Json recurse
  size_t nodes = 20'000'000;     // a node costs 16 to 30 times its text
};

// Parses untrusted text strictly. Refused, each with file and byte offset: a byte order mark, NUL
// bytes, bytes that are not UTF-8, a key that occurs twice in one object, numbers that no double
// holds, anything after the value, and text over a limit. Throws Error(kCheckpoint).
Json parse_json(std::string_view text, std::string_view file, const JsonLimits& limits = {});

}  // namespace qspec
