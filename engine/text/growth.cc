#include "engine/text/growth.h"

#include <string>

#include "engine/core/error.h"

namespace qspec {
namespace {

constexpr size_t kFactor = 16;
constexpr size_t kFree = 65536;  // a prefix may be long beside a short text

}  // namespace

GrowthLimit::GrowthLimit(size_t input_bytes) : input_bytes_(input_bytes) {}

void GrowthLimit::check(size_t bytes) const {
  if (bytes <= kFree || bytes / kFactor <= input_bytes_) return;
  throw Error(ErrorKind::kCheckpoint,
              "the tokenizer turns a text of " + std::to_string(input_bytes_) + " bytes into " +
                  std::to_string(bytes) + ", the limit is " + std::to_string(kFactor) + " times")
      .hint("a chain of replacements in its normalizer, pre-tokenizer or decoder multiplies it");
}

}  // namespace qspec
