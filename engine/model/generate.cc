#include "engine/model/generate.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "engine/core/error.h"
#include "engine/model/decoding.h"
#include "engine/model/philox.h"

namespace qspec {
namespace {

constexpr int64_t kMostSteps = 8;                       // of a stretch
constexpr int64_t kMostAheadBytes = int64_t{64} << 20;  // of logits

// One prompt of a batch on its way.
struct Row {
  std::vector<int64_t> tokens;  // with the padding before and behind
  Generation result;
};

int64_t padding_of(const GenerateOptions& options, int64_t vocab_size) {
  if (options.padding) return *options.padding;
  const bool has_eos = !options.eos.empty() && options.eos[0] < vocab_size;
  return has_eos ? options.eos[0] : 0;
}

std::vector<Row> rows_of(std::span<const std::vector<int64_t>> prompts, size_t width,
                         int64_t padding) {
  std::vector<Row> rows;
  for (const std::vector<int64_t>& prompt : prompts) {
    std::vector<int64_t> tokens(width - prompt.size(), padding);
    tokens.insert(tokens.end(), prompt.begin(), prompt.end());
    rows.push_back({std::move(tokens), {prompt, {}, false}});
  }
  return rows;
}

// With the number of new tokens for prompts of `width`.
GenerateOptions with_count(GenerateOptions options, size_t width) {
  if (options.max_length == 0) return options;
  const int64_t count = options.max_length - static_cast<int64_t>(width);
  if (count < 1 || count > kMaxTokens) {
    throw Error(ErrorKind::kSpec, "max_length is " + std::to_string(options.max_length) +
                                      " and the prompt has " + std::to_string(width) + " tokens")
        .hint("max_new_tokens counts the new ones alone");
  }
  options.max_new_tokens = count;
  return options;
}

// What the decoder continues: the prompts, or of an encoder-decoder the token that every output
// starts with.
std::vector<std::vector<int64_t>> given_to_decoder(const Model& model,
                                                   std::span<const std::vector<int64_t>> prompts,
                                                   const GenerateOptions& options) {
  if (!model.has_encoder()) return {prompts.begin(), prompts.end()};
  if (!options.decoder_start) {
    throw Error(ErrorKind::kSpec, "generation has no decoder_start_token_id")
        .hint("the decoder of an encoder-decoder starts with it; config.json names it");
  }
  if (options.encoder_repetition_penalty != 1 || options.encoder_no_repeat_ngram_size != 0) {
    throw Error(ErrorKind::kUnsupported,
                "the encoder's repetition rules are not applied to an encoder-decoder");
  }
  return std::vector(prompts.size(), std::vector<int64_t>{*options.decoder_start});
}

class Batch {
 public:
  Batch(const Model& model, std::span<const std::vector<int64_t>> prompts,
        const GenerateOptions& options)
      : model_(model),
        tokens_(make_batch(prompts, model.vocab_size())),
        width_(static_cast<size_t>(tokens_.ids.size(1))),
        options_(with_count(options, width_)),
        padding_(padding_of(options, model.vocab_size())),
        rows_(rows_of(prompts, width_, padding_)),
        cache_(model.make_cache(static_cast<int64_t>(width_) + options_.max_new_tokens)),
        left_(options_.max_new_tokens) {}

  void read(std::span<const std::vector<int64_t>> sources) {
    model_.encode(make_batch(sources, model_.vocab_size()), cache_);
  }

  std::vector<Generation> run() {
    if (left_ > 0) take(run_tokens());
    if (const auto decoding = left_ > 0 ? begin_decoding() : nullptr) decode(*decoding);
    while (left_ > 0) take(run_tokens());
    std::vector<Generation> results;
    for (Row& row : rows_) results.push_back(std::move(row.result));
    return results;
  }

 private:
  RunResult run_tokens() {
    return model_.run(tokens_, cache_, {.taps = {}, .last_position_only = true});
  }

  // One more token for each row.
  void take(const RunResult& run) {
    if (takes_the_highest(options_)) {
      const at::Tensor logits = run.logits.select(1, 0).to(at::kCPU);
      return take_chosen(choose_highest(model_, logits, run.hidden.select(1, 0)), run);
    }
    for (size_t row = 0; row < rows_.size(); ++row) advance(row, run);
    end_step();
  }

  void take_chosen(std::span<const std::optional<GenerateStep>> chosen, const RunResult& run) {
    for (size_t row = 0; row < rows_.size(); ++row) {
      const bool is_number = rows_[row].result.met_eos || chosen[row].has_value();
      is_number ? take_step(rows_[row], chosen[row]) : advance(row, run);
    }
    end_step();
  }

  void end_step() {
    left_ = is_finished() ? 0 : left_ - 1;
    std::vector<int64_t> last;
    for (const Row& row : rows_) last.push_back(row.tokens.back());
    tokens_ = next_tokens(last, tokens_.keys);
  }

  std::unique_ptr<Decoding> begin_decoding() {
    const int64_t bytes = std::ssize(rows_) * model_.vocab_size() * int64_t{sizeof(float)};
    stretch_ = std::clamp<int64_t>(kMostAheadBytes / bytes / 2, 1, kMostSteps);
    if (!takes_the_highest(options_)) stretch_ = 1;
    const at::Tensor before = tokens_.keys.narrow(1, 0, cache_.length());
    return Decoding::begin(model_, cache_, before, 2 * stretch_);
  }

  void decode(Decoding& decoding) {
    takes_the_highest(options_) ? decode_ahead(decoding) : decode_by_rules(decoding);
  }

  // The device chooses the tokens, and runs a stretch of steps while the host looks at the one
  // before. What is behind the end of a row is left aside.
  void decode_ahead(Decoding& decoding) {
    const int64_t all = left_;
    int64_t queued = 0;
    const auto queue = [&] {
      const int64_t steps = std::min(stretch_, all - queued);
      if (steps > 0) decoding.run(steps);
      queued += steps;
    };
    decoding.give(tokens_.ids);
    queue();
    for (int64_t done = 0; left_ > 0;) {
      const int64_t end = queued;
      queue();
      decoding.wait();
      take_kept(decoding.kept(done, end - done));
      done = end;
    }
  }

  void decode_by_rules(Decoding& decoding) {
    for (int64_t done = 0; left_ > 0; ++done) {
      decoding.give(tokens_.ids);
      decoding.run(1);
      decoding.wait();
      const Decoding::Kept kept = decoding.kept(done, 1);
      take({kept.logits[0].unsqueeze(1), kept.hidden[0].unsqueeze(1), {}});
    }
  }

  // Of some steps.
  void take_kept(const Decoding::Kept& kept) {
    const auto all = choose_highest(model_, kept.logits.flatten(0, 1), kept.hidden.flatten(0, 1));
    for (int64_t step = 0; step < kept.ids.size(0) && left_ > 0; ++step) {
      const auto chosen =
          std::span(all).subspan(static_cast<size_t>(step) * rows_.size(), rows_.size());
      check_chosen(chosen, kept.ids[step]);
      take_chosen(chosen, {kept.logits[step].unsqueeze(1), kept.hidden[step].unsqueeze(1), {}});
    }
  }

  // The host chooses by the same logits, and must come to the same tokens: later ones were made
  // behind them.
  void check_chosen(std::span<const std::optional<GenerateStep>> chosen, const at::Tensor& ids) {
    const auto* on_device = ids.const_data_ptr<int64_t>();
    for (size_t row = 0; row < rows_.size(); ++row) {
      const bool differs = chosen[row] && chosen[row]->token != on_device[row];
      if (!differs || rows_[row].result.met_eos) continue;
      throw Error(ErrorKind::kInternal, "the device chose token " + std::to_string(on_device[row]) +
                                            " and the host " + std::to_string(chosen[row]->token));
    }
  }

  bool is_finished() const {
    return std::all_of(rows_.begin(), rows_.end(),
                       [](const Row& row) { return row.result.met_eos; });
  }

  void advance(size_t index, const RunResult& run) {
    Row& row = rows_[index];
    if (row.result.met_eos) return take_step(row, {});
    const auto at = static_cast<int64_t>(index);
    const NextLogits next{row.tokens, width_, run.logits[at].view({-1}), run.hidden[at].view({-1})};
    const uint64_t seed = options_.sampling ? options_.sampling->seed : 0;
    const double number = uniform(seed, index, row.result.steps.size());
    take_step(row, choose(model_, options_, next, number));
  }

  // A row that has ended goes on with padding: its shape is that of the others.
  void take_step(Row& row, const std::optional<GenerateStep>& step) {
    if (row.result.met_eos) {
      row.tokens.push_back(padding_);
      return;
    }
    row.result.steps.push_back(step.value());
    row.result.ids.push_back(step->token);
    row.result.met_eos =
        std::find(options_.eos.begin(), options_.eos.end(), step->token) != options_.eos.end();
    row.tokens.push_back(step->token);
  }

  const Model& model_;
  TokenBatch tokens_;
  size_t width_;  // of the longest prompt
  GenerateOptions options_;
  int64_t padding_;
  std::vector<Row> rows_;
  KvCache cache_;
  int64_t left_;         // tokens that each row is still to get
  int64_t stretch_ = 1;  // steps that are queued at once
};

}  // namespace

std::vector<Generation> generate_batch(const Model& model,
                                       std::span<const std::vector<int64_t>> prompts,
                                       const GenerateOptions& options) {
  Batch batch(model, given_to_decoder(model, prompts, options), options);
  if (model.has_encoder()) batch.read(prompts);
  return batch.run();
}

Generation generate(const Model& model, const std::vector<int64_t>& prompt,
                    const GenerateOptions& options) {
  return std::move(generate_batch(model, {&prompt, 1}, options).front());
}

}  // namespace qspec
