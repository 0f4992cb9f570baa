#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/json.h"

namespace qspec {

// What a tokenizer.json describes, giving the ids that Hugging Face tokenizers gives. Truncation
// and padding of the file are left out, as transformers does. Immutable, safe to use from several
// threads.
class Tokenizer {
 public:
  // `file` names the text in errors. Throws Error(kUnsupported) for a component that is not known
  // here, Error(kCheckpoint) for what contradicts itself.
  static std::shared_ptr<const Tokenizer> from_json(const Json& tokenizer, const std::string& file);
  // Reads and parses the file. Throws Error(kIo) as well.
  static std::shared_ptr<const Tokenizer> from_file(const std::string& path);

  // Parses the text of a file. Throws likewise.
  static std::shared_ptr<const Tokenizer> from_text(std::string_view text, const std::string& file);

  virtual ~Tokenizer() = default;

  // Throws Error(kUsage), naming the byte, for text that is not UTF-8, and Error(kCheckpoint) when
  // a pattern of the tokenizer runs away on this text.
  virtual std::vector<int32_t> encode(std::string_view text, bool add_special_tokens) const = 0;

  // Ids that no token has are left out, as in the library: a model has more rows than tokens.
  // Throws Error(kUsage) for negative ids.
  virtual std::string decode(std::span<const int32_t> ids, bool skip_special_tokens) const = 0;

  // Distinct tokens, added ones included.
  virtual size_t vocab_size() const = 0;
  virtual std::optional<int32_t> id_of(std::string_view token) const = 0;
  // As the model's vocabulary writes it ("Ġthe").
  virtual std::optional<std::string> token_of(int32_t id) const = 0;
};

}  // namespace qspec
