#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/core/json.h"

namespace qspec {

// What transformers' generate(do_sample=False) obeys of its generation config.
struct GenerateOptions {
  int64_t max_new_tokens = 20;
  std::vector<int64_t> eos;              // any of them ends the output and is part of it
  std::optional<int64_t> decoder_start;  // of an encoder-decoder
  double repetition_penalty = 1;
  int64_t no_repeat_ngram_size = 0;
  int64_t min_length = 0;  // of prompt and output
  int64_t min_new_tokens = 0;
  std::vector<int64_t> forced_eos;  // the only choices for the last token
  std::vector<int64_t> suppress;
  std::vector<int64_t> begin_suppress;  // for the first new token
};

// From the fields of a generation_config.json. Those of sampling and of bookkeeping have no effect
// on a greedy run and are left aside, `max_length` too: max_new_tokens wins. Throws
// Error(kUnsupported) for one that would change the output and is not obeyed here ("num_beams" of
// more than 1), or that is unknown; Error(kSpec) for a value of the wrong type or range.
GenerateOptions parse_generate_options(const Json& fields, int64_t vocab_size);

}  // namespace qspec
