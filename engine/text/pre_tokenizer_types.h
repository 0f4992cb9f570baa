#pragma once

#include <memory>

#include "engine/text/component.h"
#include "engine/text/pre_tokenizer.h"

namespace qspec {

// The pre-tokenizers that have a file of their own, or one in common.
std::unique_ptr<const PreTokenizer> make_digits(const Component& from);
std::unique_ptr<const PreTokenizer> make_punctuation(const Component& from);
std::unique_ptr<const PreTokenizer> make_whitespace(const Component& from);
std::unique_ptr<const PreTokenizer> make_whitespace_split(const Component& from);
std::unique_ptr<const PreTokenizer> make_bert_pre_tokenizer(const Component& from);
std::unique_ptr<const PreTokenizer> make_char_delimiter_split(const Component& from);
std::unique_ptr<const PreTokenizer> make_fixed_length(const Component& from);
std::unique_ptr<const PreTokenizer> make_unicode_scripts(const Component& from);

}  // namespace qspec
