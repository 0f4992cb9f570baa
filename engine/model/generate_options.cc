#include "engine/model/generate_options.h"

#include <algorithm>
#include <cmath>
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
                                               "do_sample",
                                               "early_stopping",
                                               "epsilon_cutoff",
                                               "eta_cutoff",
                                               "is_assistant",
                                               "length_penalty",
                                               "low_memory",
                                               "max_cache_len",
                                               "max_length",
                                               "max_matching_ngram_size",
                                               "min_p",
                                               "num_assistant_tokens",
                                               "num_assistant_tokens_schedule",
                                               "output_attentions",
                                               "output_hidden_states",
                                               "output_logits",
                                               "output_scores",
                                               "pad_token_id",
                                               "prefill_chunk_size",
                                               "renormalize_logits",
                                               "return_dict_in_generate",
                                               "speculation_type",
                                               "target_lookbehind",
                                               "temperature",
                                               "top_h",
                                               "top_k",
                                               "top_p",
                                               "transformers_version",
                                               "typical_p",
                                               "use_cache"};

// Fields that change the output, with the number (or false) at which they do nothing.
struct Refused {
  std::string_view name;
  double neutral;
};
constexpr Refused kRefused[] = {{"bad_words_ids", 0},
                                {"constraints", 0},
                                {"diversity_penalty", 0},
                                {"dola_layers", 0},
                                {"encoder_no_repeat_ngram_size", 0},
                                {"encoder_repetition_penalty", 1},
                                {"exponential_decay_length_penalty", 0},
                                {"force_words_ids", 0},
                                {"forced_bos_token_id", 0},
                                {"guidance_scale", 1},
                                {"max_time", 0},
                                {"num_beam_groups", 1},
                                {"num_beams", 1},
                                {"num_return_sequences", 1},
                                {"penalty_alpha", 0},
                                {"prompt_lookup_num_tokens", 0},
                                {"remove_invalid_values", 0},
                                {"sequence_bias", 0},
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
    refuse(name, found, "a number of " + std::to_string(least) + " to " + std::to_string(most));
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

struct Obeyed {
  std::string_view name;
  void (*read)(GenerateOptions& options, std::string_view name, const Json& found, int64_t vocab);
};

constexpr Obeyed kObeyed[] = {
    {"max_new_tokens", [](auto& options, auto name, auto& found,
                          auto) { options.max_new_tokens = whole(name, found, kMaxTokens); }},
    {"eos",
     [](auto& options, auto name, auto& found, auto) { options.eos = ids(name, found, kMostId); }},
    {"eos_token_id",
     [](auto& options, auto name, auto& found, auto) { options.eos = ids(name, found, kMostId); }},
    {"decoder_start_token_id", [](auto& options, auto name, auto& found,
                                  auto) { options.decoder_start = whole(name, found, kMostId); }},
    {"repetition_penalty",
     [](auto& options, auto name, auto& found, auto) {
       options.repetition_penalty = number(name, found, kLeastPenalty, 1 / kLeastPenalty);
     }},
    {"no_repeat_ngram_size",
     [](auto& options, auto name, auto& found, auto) {
       options.no_repeat_ngram_size = whole(name, found, kMaxTokens);
     }},
    {"min_length", [](auto& options, auto name, auto& found,
                      auto) { options.min_length = whole(name, found, kMaxTokens); }},
    {"min_new_tokens", [](auto& options, auto name, auto& found,
                          auto) { options.min_new_tokens = whole(name, found, kMaxTokens); }},
    {"forced_eos_token_id", [](auto& options, auto name, auto& found,
                               auto vocab) { options.forced_eos = ids(name, found, vocab - 1); }},
    {"suppress_tokens", [](auto& options, auto name, auto& found,
                           auto) { options.suppress = ids(name, found, kMostId); }},
    {"begin_suppress_tokens", [](auto& options, auto name, auto& found,
                                 auto) { options.begin_suppress = ids(name, found, kMostId); }},
};

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
                                               ", and only a plain greedy run is supported");
    }
    known.emplace_back(refused.name);
  }
  for (const Obeyed& obeyed : kObeyed) known.emplace_back(obeyed.name);
  throw Error(ErrorKind::kUnsupported, "unknown generation option '" + printable(name) + "'")
      .hint(did_you_mean(name, known));
}

}  // namespace

GenerateOptions parse_generate_options(const Json& fields, int64_t vocab_size) {
  GenerateOptions options;
  for (const auto& [name, found] : fields.items()) {
    if (found.is_null()) continue;
    const auto* obeyed =
        std::find_if(std::begin(kObeyed), std::end(kObeyed),
                     [&name = name](const Obeyed& field) { return field.name == name; });
    if (obeyed == std::end(kObeyed)) {
      check_left_aside(name, found);
    } else {
      obeyed->read(options, name, found, vocab_size);
    }
  }
  return options;
}

}  // namespace qspec
