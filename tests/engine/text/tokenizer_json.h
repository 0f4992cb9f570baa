#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/text/tokenizer.h"

namespace qspec::test {

// A tokenizer whose file has these members of "model" (a BPE) and these beside it.
inline std::shared_ptr<const Tokenizer> tokenizer_of(std::string_view model,
                                                     std::string_view others = "") {
  const std::string text = R"({"version":"1.0",)" + std::string(others) +
                           (others.empty() ? "" : ",") + R"("model":{"type":"BPE",)" +
                           std::string(model) + "}}";
  return Tokenizer::from_json(parse_json(text, "tokenizer.json"), "tokenizer.json");
}

// Each ASCII letter and space of `letters` as a token, in order from id 0, and no merges.
inline std::string letters_model(std::string_view letters) {
  std::string vocab;
  for (size_t i = 0; i < letters.size(); ++i) {
    vocab += (i == 0 ? "\"" : ",\"") + std::string(1, letters[i]) + "\":" + std::to_string(i);
  }
  return "\"vocab\":{" + vocab + "},\"merges\":[]";
}

using Ids = std::vector<int32_t>;

}  // namespace qspec::test
