#include "engine/model/logits_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

namespace qspec {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

void forbid(std::span<const int64_t> ids, std::span<float> scores) {
  for (const int64_t id : ids) {
    if (id < static_cast<int64_t>(scores.size())) scores[static_cast<size_t>(id)] = kNever;
  }
}

bool ends_with(std::span<const int64_t> tokens, std::span<const int64_t> end) {
  return end.size() <= tokens.size() &&
         std::equal(end.begin(), end.end(), tokens.end() - static_cast<ptrdiff_t>(end.size()));
}

void add_bias(std::span<const int64_t> sequence, float bias, std::span<const int64_t> tokens,
              std::span<float> scores) {
  // Of more tokens than there are: transformers leaves it aside, even where the others match.
  const bool is_too_long = sequence.size() > 1 && sequence.size() > tokens.size();
  if (is_too_long || !ends_with(tokens, sequence.first(sequence.size() - 1))) return;
  scores[static_cast<size_t>(sequence.back())] += bias;
}

void forbid_bad_words(const GenerateOptions& options, std::span<const int64_t> tokens,
                      std::span<float> scores) {
  for (const std::vector<int64_t>& word : options.bad_words) {
    const bool is_eos = word.size() == 1 && std::find(options.eos.begin(), options.eos.end(),
                                                      word[0]) != options.eos.end();
    if (!is_eos) add_bias(word, kNever, tokens, scores);
  }
}

void penalize_repetition(double penalty, std::span<const int64_t> tokens, std::span<float> scores) {
  const auto factor = static_cast<float>(penalty);
  for (const int64_t id : std::set<int64_t>(tokens.begin(), tokens.end())) {
    float& score = scores[static_cast<size_t>(id)];
    score = score < 0 ? score * factor : score / factor;
  }
}

// Forbids what would complete an n-gram of `seen` behind `tokens`.
void forbid_ngrams(size_t n, std::span<const int64_t> seen, std::span<const int64_t> tokens,
                   std::span<float> scores) {
  if (tokens.size() + 1 < n) return;
  const auto prefix = tokens.last(n - 1);
  for (size_t begin = 0; begin + n <= seen.size(); ++begin) {
    const auto ngram = seen.subspan(begin, n);
    if (std::equal(prefix.begin(), prefix.end(), ngram.begin())) forbid(ngram.last(1), scores);
  }
}

void force(std::span<const int64_t> ids, std::span<float> scores) {
  std::fill(scores.begin(), scores.end(), kNever);
  for (const int64_t id : ids) scores[static_cast<size_t>(id)] = 0;
}

void make_finite(std::span<float> scores) {
  constexpr float kMost = std::numeric_limits<float>::max();
  for (float& score : scores) {
    score = std::isnan(score) ? 0 : std::clamp(score, -kMost, kMost);
  }
}

void favour_end(const GenerateOptions& options, int64_t made, std::span<float> scores) {
  const auto late = static_cast<double>(made - options.decay_start);
  if (late <= 0 || options.decay_factor == 1) return;
  const auto growth = static_cast<float>(std::pow(options.decay_factor, late) - 1);
  for (const int64_t id : options.eos) {
    if (id >= static_cast<int64_t>(scores.size())) continue;
    float& score = scores[static_cast<size_t>(id)];
    score += std::abs(score) * growth;
  }
}

// Of what is in the prompt or was made.
void apply_repetition_rules(const GenerateOptions& options, std::span<const int64_t> tokens,
                            std::span<const int64_t> prompt, std::span<float> scores) {
  if (options.encoder_repetition_penalty != 1) {
    penalize_repetition(1 / options.encoder_repetition_penalty, prompt, scores);
  }
  if (options.repetition_penalty != 1) {
    penalize_repetition(options.repetition_penalty, tokens, scores);
  }
  if (options.no_repeat_ngram_size > 0) {
    forbid_ngrams(static_cast<size_t>(options.no_repeat_ngram_size), tokens, tokens, scores);
  }
  if (options.encoder_no_repeat_ngram_size > 0) {
    forbid_ngrams(static_cast<size_t>(options.encoder_no_repeat_ngram_size), prompt, tokens,
                  scores);
  }
}

// Of how long the text is.
void apply_length_rules(const GenerateOptions& options, int64_t length, int64_t made,
                        std::span<float> scores) {
  if (length < options.min_length || made < options.min_new_tokens) forbid(options.eos, scores);
  if (options.forced_bos && length == 1) force({&*options.forced_bos, 1}, scores);
  if (!options.forced_eos.empty() && made == options.max_new_tokens - 1) {
    force(options.forced_eos, scores);
  }
}

}  // namespace

void apply_logits_rules(const GenerateOptions& options, std::span<const int64_t> tokens,
                        size_t prompt_length, std::span<float> scores) {
  const auto length = static_cast<int64_t>(tokens.size());
  const auto made = static_cast<int64_t>(tokens.size() - prompt_length);
  for (const SequenceBias& one : options.sequence_bias) {
    add_bias(one.tokens, one.bias, tokens, scores);
  }
  apply_repetition_rules(options, tokens, tokens.first(prompt_length), scores);
  forbid_bad_words(options, tokens, scores);
  apply_length_rules(options, length, made, scores);
  if (options.remove_invalid) make_finite(scores);
  favour_end(options, made, scores);
  forbid(options.suppress, scores);
  // The token that is forced behind a prompt of one is not the first that is free.
  const int64_t first = options.forced_bos && prompt_length <= 1 ? 1 : 0;
  if (made == first) forbid(options.begin_suppress, scores);
}

}  // namespace qspec
