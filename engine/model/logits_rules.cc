#include "engine/model/logits_rules.h"

#include <algorithm>
#include <limits>
#include <set>

namespace qspec {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

void forbid(std::span<const int64_t> ids, std::span<float> scores) {
  for (const int64_t id : ids) {
    if (id < static_cast<int64_t>(scores.size())) scores[static_cast<size_t>(id)] = kNever;
  }
}

void penalize_repetition(double penalty, std::span<const int64_t> tokens, std::span<float> scores) {
  const auto factor = static_cast<float>(penalty);
  for (const int64_t id : std::set<int64_t>(tokens.begin(), tokens.end())) {
    float& score = scores[static_cast<size_t>(id)];
    score = score < 0 ? score * factor : score / factor;
  }
}

// Forbids what would complete an n-gram that `tokens` already has.
void forbid_repeated_ngrams(size_t n, std::span<const int64_t> tokens, std::span<float> scores) {
  if (tokens.size() + 1 < n) return;
  const auto prefix = tokens.last(n - 1);
  for (size_t begin = 0; begin + n <= tokens.size(); ++begin) {
    const auto ngram = tokens.subspan(begin, n);
    if (std::equal(prefix.begin(), prefix.end(), ngram.begin())) forbid(ngram.last(1), scores);
  }
}

void force(std::span<const int64_t> ids, std::span<float> scores) {
  std::fill(scores.begin(), scores.end(), kNever);
  for (const int64_t id : ids) scores[static_cast<size_t>(id)] = 0;
}

}  // namespace

void apply_logits_rules(const GenerateOptions& options, std::span<const int64_t> tokens,
                        size_t prompt_length, std::span<float> scores) {
  const auto length = static_cast<int64_t>(tokens.size());
  const auto made = static_cast<int64_t>(tokens.size() - prompt_length);
  if (options.repetition_penalty != 1) {
    penalize_repetition(options.repetition_penalty, tokens, scores);
  }
  if (options.no_repeat_ngram_size > 0) {
    forbid_repeated_ngrams(static_cast<size_t>(options.no_repeat_ngram_size), tokens, scores);
  }
  if (length < options.min_length || made < options.min_new_tokens) forbid(options.eos, scores);
  if (!options.forced_eos.empty() && made == options.max_new_tokens - 1) {
    force(options.forced_eos, scores);
  }
  forbid(options.suppress, scores);
  if (made == 0) forbid(options.begin_suppress, scores);
}

}  // namespace qspec
