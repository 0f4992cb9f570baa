#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/core/json.h"
#include "engine/model/sampling.h"

namespace qspec {

// Added to the score of the last token where the others have just been made.
struct SequenceBias {
  std::vector<int64_t> tokens;  // at least one
  float bias = 0;
};

// What generate() of transformers 5.17 obeys of its generation config.
struct GenerateOptions {
  int64_t max_new_tokens = 20;
  int64_t max_length = 0;                // of prompt and output; 0: max_new_tokens says
  std::vector<int64_t> eos;              // any of them ends the output and is part of it
  std::optional<int64_t> padding;        // before shorter prompts and behind ended rows
  std::optional<int64_t> decoder_start;  // of an encoder-decoder
  std::vector<SequenceBias> sequence_bias;
  double encoder_repetition_penalty = 1;  // of the tokens of the prompt, and a reward
  double repetition_penalty = 1;
  int64_t no_repeat_ngram_size = 0;
  int64_t encoder_no_repeat_ngram_size = 0;  // n-grams of the prompt
  std::vector<std::vector<int64_t>> bad_words;
  int64_t min_length = 0;  // of prompt and output
  int64_t min_new_tokens = 0;
  std::optional<int64_t> forced_bos;  // the only choice behind one token
  std::vector<int64_t> forced_eos;    // the only choices for the last token
  bool remove_invalid = false;        // what is not finite becomes a number
  int64_t decay_start = 0;            // new tokens after which an end becomes likelier
  double decay_factor = 1;            // each time by so much
  std::vector<int64_t> suppress;
  std::vector<int64_t> begin_suppress;  // for the first new token
  std::optional<Sampling> sampling;     // none: the highest score
};

// Whether each token is the one with the highest logit, whatever came before.
bool takes_the_highest(const GenerateOptions& options);

// From the fields of a generation_config.json, and "seed". Those of bookkeeping have no effect and
// are left aside, those of sampling too without "do_sample". max_new_tokens wins over max_length.
// Throws Error(kUnsupported) for one that would change the output and is not obeyed here
// ("num_beams" of more than 1), or that is unknown; Error(kSpec) for a value of the wrong type or
// range.
GenerateOptions parse_generate_options(const Json& fields, int64_t vocab_size);

}  // namespace qspec
