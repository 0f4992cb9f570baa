#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace qspec {

// Objects keep the order of the file, so that a config can be written back as it was read. Looking
// a key up is linear: walk a large object (a vocabulary) instead.
using Json = nlohmann::ordered_json;

struct JsonLimits {
  size_t bytes = 256u << 20;  // tokenizer.json files reach tens of MB
  size_t depth = 64;          // copying and comparing a Json recurse
  size_t nodes = 20'000'000;  // a node costs 16 to 30 times its text
};

// Parses untrusted text strictly. Refused, each with file and byte offset: a byte order mark, NUL
// bytes, bytes that are not UTF-8, a key that occurs twice in one object, numbers that no double
// holds, anything after the value, and text over a limit. A whole number that 64 bits do not hold
// becomes a double. Throws Error(kCheckpoint).
Json parse_json(std::string_view text, std::string_view file, const JsonLimits& limits = {});

// The text of `json`: on one line when `indent` is negative. Doubles are the shortest text that
// parses back equal and keep a mark of being one (6.0, not 6); NaN and infinities, which JSON
// cannot write, become the strings "NaN", "Infinity" and "-Infinity". Bytes that are not UTF-8
// become U+FFFD. Never throws but for want of memory.
std::string dump_json(const Json& json, int indent = -1);

}  // namespace qspec
