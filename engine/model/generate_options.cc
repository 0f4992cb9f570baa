#include "engine/model/generate_options.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "engine/core/error.h"
#include "engine/model/did_you_mean.h"
#include "engine/model/shown.h"
#include "engine/model/token_batch.h"

namespace qspec {
namespace {

constexpr int64_t kMostId = INT32_MAX;  // an id that the vocabulary lacks never comes up
constexpr double kLeastPenalty = 1e-6;
constexpr double kMostFactor = 1e6;
constexpr int64_t kMostSeed = int64_t{1} << 53;  // a double holds it
constexpr int64_t kMostLength = int64_t{1} << 53;

// The fields of GenerationConfig in transformers 5.17.
constexpr std::string_view kWithoutEffect[] = {"_commit_hash",
                                               "_from_model_config",
                                               "assistant_confidence_threshold",
                                               "assistant_early_exit",
                                               "assistant_lookbehind",
                                               "assistant_ensemble_weight",
                                               "bos_token_id",
                                               "cache_config",
                                               "cache_implementation",
                                               "compile_config",
                                               "continuous_batching_config",
                                               "disable_compile",
                                               "early_stopping",
                                               "is_assistant",
                                               "length_penalty",
                                               "low_memory",
                                               "max_cache_len",
                                               "max_matching_ngram_size",
                                               "num_assistant_tokens",
                                               "num_assistant_tokens_schedule",
                                               "output_attentions",
                                               "output_hidden_states",
                                               "output_logits",
                                               "output_scores",
                                               "prefill_chunk_size",
                                               "renormalize_logits",
                                               "return_dict_in_generate",
                                               "speculation_type",
                                               "target_lookbehind",
                                               "transformers_version",
                                               "use_cache"};

// Fields that change the output, with the number (or false) at which they do nothing.
struct Refused {
  std::string_view name;
  double neutral;
};
constexpr Refused kRefused[] = {{"constraints", 0},
                                {"diversity_penalty", 0},
                                {"dola_layers", 0},
                                {"force_words_ids", 0},
                                {"guidance_scale", 1},
                                {"max_time", 0},
                                {"num_beam_groups", 1},
                                {"num_beams", 1},
                                {"num_return_sequences", 1},
                                {"penalty_alpha", 0},
                                {"prompt_lookup_num_tokens", 0},
                                {"stop_strings", 0},
                                {"token_healing", 0},
                                {"use_mtp", 0},
                                {"watermarking_config", 0}};

[[noreturn]] void refuse(std::string_view name, const Json& found, const std::string& wanted) {
  throw Error(ErrorKind::kSpec, "generation option '" + printable(name) + "' is " + shown(found) +
                                    ", wanted " + wanted);
}

double number(std::string_view name, const Json& found, double least, double most) {
  const double value = found.is_number() ? found.get<double>() : NAN;
  if (!(value >= least && value <= most)) {
    refuse(name, found, "a number of " + shown(least) + " to " + shown(most));
  }
  return value;
}

int64_t whole(std::string_view name, const Json& found, int64_t most) {
  const double value = found.is_number() ? found.get<double>() : -1;
  if (!(value >= 0 && value <= static_cast<double>(most)) || std::floor(value) != value) {
    refuse(name, found, "a whole number of 0 to " + std::to_string(most));
  }
  return static_cast<int64_t>(value);
}

// One id or a list of them. (An empty Lua table arrives as an object.)
std::vector<int64_t> ids(std::string_view name, const Json& found, int64_t most) {
  if (!found.is_array() && !found.is_object()) return {whole(name, found, most)};
  std::vector<int64_t> list;
  for (const Json& id : found) list.push_back(whole(name, id, most));
  return list;
}

bool is_true(std::string_view name, const Json& found) {
  if (!found.is_boolean()) refuse(name, found, "true or false");
  return found.get<bool>();
}

// A list, or what an empty Lua table arrives as.
const Json& list(std::string_view name, const Json& found) {
  if (!found.is_array() && !(found.is_object() && found.empty())) refuse(name, found, "a list");
  return found;
}

std::vector<int64_t> sequence(std::string_view name, const Json& found, int64_t vocab) {
  if (!found.is_array() || found.empty()) refuse(name, found, "lists of token ids");
  return ids(name, found, vocab - 1);
}

// Lists of token ids and a number each.
void read_biases(GenerateOptions& options, std::string_view name, const Json& found,
                 int64_t vocab) {
  for (const Json& pair : list(name, found)) {
    if (!pair.is_array() || pair.size() != 2)
      refuse(name, found, "pairs of token ids and a number");
    const double bias = number(name, pair[1], std::numeric_limits<float>::lowest(),
                               std::numeric_limits<float>::max());
    options.sequence_bias.push_back({sequence(name, pair[0], vocab), static_cast<float>(bias)});
  }
}

void read_bad_words(GenerateOptions& options, std::string_view name, const Json& found,
                    int64_t vocab) {
  for (const Json& word : list(name, found)) {
    options.bad_words.push_back(sequence(name, word, vocab));
  }
}

// {start, factor}
void read_decay(GenerateOptions& options, std::string_view name, const Json& found, int64_t) {
  if (found.is_object() && found.empty()) return;
  if (!found.is_array() || found.size() != 2) refuse(name, found, "a start and a factor");
  options.decay_start = whole(name, found[0], kMaxTokens);
  options.decay_factor = number(name, found[1], 0, kMostFactor);
}

// Many files have -1 for none.
void read_padding(GenerateOptions& options, std::string_view name, const Json& found,
                  int64_t vocab) {
  const std::vector<int64_t> all = found.is_number() && found.get<double>() < 0
                                       ? std::vector<int64_t>()
                                       : ids(name, found, kMostId);
  if (!all.empty() && all[0] < vocab) options.padding = all[0];
}

void read_forced_bos(GenerateOptions& options, std::string_view name, const Json& found,
                     int64_t vocab) {
  options.forced_bos = whole(name, found, vocab - 1);
}

template <auto Member, int64_t Most>
void read_whole(GenerateOptions& options, std::string_view name, const Json& found, int64_t) {
  options.*Member = whole(name, found, Most);
}

template <auto Member>
void read_ids(GenerateOptions& options, std::string_view name, const Json& found, int64_t) {
  options.*Member = ids(name, found, kMostId);
}

template <auto Member>
void read_penalty(GenerateOptions& options, std::string_view name, const Json& found, int64_t) {
  options.*Member = number(name, found, kLeastPenalty, 1 / kLeastPenalty);
}

template <class Options>
struct Field {
  std::string_view name;
  void (*read)(Options& options, std::string_view name, const Json& found, int64_t vocab);
};

using Options = GenerateOptions;

constexpr Field<Options> kObeyed[] = {
    {"bad_words_ids", read_bad_words},
    {"begin_suppress_tokens", read_ids<&Options::begin_suppress>},
    {"decoder_start_token_id", [](Options& options, auto name, auto& found,
                                  auto) { options.decoder_start = whole(name, found, kMostId); }},
    {"encoder_no_repeat_ngram_size",
     read_whole<&Options::encoder_no_repeat_ngram_size, kMaxTokens>},
    {"encoder_repetition_penalty", read_penalty<&Options::encoder_repetition_penalty>},
    {"eos", read_ids<&Options::eos>},
    {"eos_token_id", read_ids<&Options::eos>},
    {"exponential_decay_length_penalty", read_decay},
    {"forced_bos_token_id", read_forced_bos},
    {"forced_eos_token_id", [](Options& options, auto name, auto& found,
                               auto vocab) { options.forced_eos = ids(name, found, vocab - 1); }},
    {"max_length", read_whole<&Options::max_length, kMostLength>},
    {"max_new_tokens", read_whole<&Options::max_new_tokens, kMaxTokens>},
    {"min_length", read_whole<&Options::min_length, kMaxTokens>},
    {"min_new_tokens", read_whole<&Options::min_new_tokens, kMaxTokens>},
    {"no_repeat_ngram_size", read_whole<&Options::no_repeat_ngram_size, kMaxTokens>},
    {"pad_token_id", read_padding},
    {"remove_invalid_values", [](Options& options, auto name, auto& found,
                                 auto) { options.remove_invalid = is_true(name, found); }},
    {"repetition_penalty", read_penalty<&Options::repetition_penalty>},
    {"sequence_bias", read_biases},
    {"suppress_tokens", read_ids<&Options::suppress>},
};

template <auto Member, int64_t Most>
void read_share(Sampling& sampling, std::string_view name, const Json& found, int64_t) {
  sampling.*Member = number(name, found, 0, Most);
}

constexpr Field<Sampling> kSampling[] = {
    {"epsilon_cutoff", read_share<&Sampling::epsilon_cutoff, 1>},
    {"eta_cutoff", read_share<&Sampling::eta_cutoff, 1>},
    {"min_p", read_share<&Sampling::min_p, 1>},
    {"seed", [](Sampling& sampling, auto name, auto& found,
                auto) { sampling.seed = static_cast<uint64_t>(whole(name, found, kMostSeed)); }},
    {"temperature", [](Sampling& sampling, auto name, auto& found,
                       auto) { sampling.temperature = number(name, found, 1e-6, kMostFactor); }},
    {"top_h", read_share<&Sampling::top_h, 1>},
    {"top_k", [](Sampling& sampling, auto name, auto& found,
                 auto) { sampling.top_k = whole(name, found, kMostId); }},
    {"top_p", read_share<&Sampling::top_p, 1>},
    {"typical_p", read_share<&Sampling::typical_p, 1>},
};

template <class Options, size_t N>
const Field<Options>* find(const Field<Options> (&fields)[N], std::string_view name) {
  const auto* found = std::find_if(std::begin(fields), std::end(fields),
                                   [&](const auto& field) { return field.name == name; });
  return found == std::end(fields) ? nullptr : found;
}

bool is_neutral(const Json& found, double neutral) {
  if (found.is_boolean()) return !found.get<bool>();
  if (found.is_number()) return found.get<double>() == neutral;
  return found.empty();
}

void check_left_aside(const std::string& name, const Json& found) {
  std::vector<std::string> known(std::begin(kWithoutEffect), std::end(kWithoutEffect));
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  for (const Refused& refused : kRefused) {
    if (refused.name == name) {
      if (is_neutral(found, refused.neutral)) return;
      throw Error(ErrorKind::kUnsupported, "generation option '" + name + "' is " + shown(found) +
                                               ", which nothing here can do");
    }
    known.emplace_back(refused.name);
  }
  for (const auto& field : kObeyed) known.emplace_back(field.name);
  for (const auto& field : kSampling) known.emplace_back(field.name);
  throw Error(ErrorKind::kUnsupported, "unknown generation option '" + printable(name) + "'")
      .hint(did_you_mean(name, known));
}

}  // namespace

bool takes_the_highest(const GenerateOptions& options) {
  const bool repeats = options.repetition_penalty == 1 && options.encoder_repetition_penalty == 1 &&
                       options.no_repeat_ngram_size == 0 &&
                       options.encoder_no_repeat_ngram_size == 0;
  const bool ends_anywhere = options.min_length == 0 && options.min_new_tokens == 0 &&
                             options.decay_factor == 1 && !options.forced_bos &&
                             options.forced_eos.empty();
  const bool has_all_tokens = options.sequence_bias.empty() && options.bad_words.empty() &&
                              options.suppress.empty() && options.begin_suppress.empty() &&
                              !options.remove_invalid;
  return repeats && ends_anywhere && has_all_tokens && !options.sampling;
}

GenerateOptions parse_generate_options(const Json& fields, int64_t vocab_size) {
  GenerateOptions options;
  const auto given = [&](const char* name) {
    return fields.contains(name) && !fields[name].is_null();
  };
  if (given("do_sample") && is_true("do_sample", fields["do_sample"])) options.sampling.emplace();
  for (const auto& [name, found] : fields.items()) {
    if (found.is_null() || name == "do_sample") continue;
    if (const auto* field = find(kObeyed, name)) {
      field->read(options, name, found, vocab_size);
    } else if (const auto* sampled = find(kSampling, name)) {
      if (options.sampling) sampled->read(*options.sampling, name, found, vocab_size);
    } else {
      check_left_aside(name, found);
    }
  }
  // The number of new tokens wins over the length, at either end.
  if (given("max_new_tokens")) options.max_length = 0;
  if (given("min_new_tokens")) options.min_length = 0;
  return options;
}

}  // namespace qspec
