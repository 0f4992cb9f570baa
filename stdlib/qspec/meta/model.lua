---@meta host.model

-- Running models: prefill, greedy decoding with a cache, scoring.

---@class host.model
local model = {}

---What one module holds: exactly one of `weight` and `int8`. `compute_dtype` is of a packed weight,
---"float32", "float16" or "bfloat16"; that of the input when nil.
---@class qspec.ModuleWeights
---@field weight qspec.Tensor|qspec.Packed|nil
---@field bias qspec.Tensor|nil
---@field compute_dtype string|nil
---@field decode_dtype string|nil a packed weight is decoded to this dtype first, and then cast
---@field output_scale qspec.Tensor|nil [out]: the product is rounded, then multiplied by it
---@field bias_apart boolean|nil the product is rounded before the bias is added
---@field int8 qspec.Int8Weight|nil
---@field input qspec.InputRounding|nil how its input is rounded to codes and back before

---A weight of LLM.int8(). Columns of the input that hold a magnitude of `threshold` or more are
---multiplied in 16 bit; 0: none.
---@class qspec.Int8Weight
---@field codes qspec.Tensor int8 [out, in]
---@field absmax qspec.Tensor float32 [out]
---@field threshold number

---Rounding of the input of a linear, as compressed-tensors does it. Scales are found from the input
---unless `scale` is given.
---@class qspec.InputRounding
---@field codes "int"|"e4m3"|"e2m1"
---@field per "tensor"|"token"|"group" what shares a scale
---@field scales "plain"|"exponents"|"e4m3" what scales are rounded to
---@field bits integer|nil of integers, 2 to 8
---@field symmetric boolean|nil true unless given
---@field group_size integer|nil
---@field scale qspec.Tensor|nil one value
---@field zero_point qspec.Tensor|nil one value
---@field global_scale qspec.Tensor|nil one value in float32, of scales that are e4m3

---Binds weights to a program, as `qspec.builder` makes it.
---@param program table
---@param weights table<string, qspec.ModuleWeights> by module name
---`dense_budget`: bytes of packed weights that may be kept decoded. `device`: "cpu", or "cuda:0"
---once host.cuda was required; results of its methods are on the CPU all the same.
---@param options {dense_budget: integer?, device: string?}?
---@return qspec.Model
function model.build(program, weights, options) end

---The scores that the next token is chosen from: logits after the rules of `options` (those of
---`generate`) and, with do_sample, its filters.
---@param logits qspec.Tensor [vocabulary]
---@param ids integer[] the prompt and the output so far
---@param prompt_length integer how many of them are the prompt
---@param options table?
---@return qspec.Tensor float32 [vocabulary], minus infinity for what cannot be chosen
function model.processed_scores(logits, ids, prompt_length, options) end

---A model that can run. Token ids are those of its tokenizer, counted from 0.
---@class qspec.Model
local Model = {}

---Runs the model over one sequence of token ids, or over several padded on the left.
---`taps` names the hidden states to return; `last` asks for the logits of the last token only.
---`step` runs that many tokens at a time, each behind those before it in the cache, as decoding
---does. `random_rounding` is a seed of 0 to 2^32 - 1: every product of matrices is rounded to a
---neighbour at random, which shows what another order of sums could change. An encoder-decoder
---takes the ids of its decoder and, for each sequence, a source.
---@param ids integer[]|integer[][]
---@param options {taps: string[]?, last: boolean?, step: integer?, random_rounding: integer?}?
---@param source (integer[]|integer[][])?
---@return qspec.Tensor logits [sequences, tokens or 1, vocabulary], in the dtype of the model
---@return table<string, qspec.Tensor> taps [sequences, tokens, width] each
function Model:forward(ids, options, source) end

---Continues a prompt as transformers' generate does, or several as one batch, the shorter ones
---padded on the left; an encoder-decoder reads it as its source, and its output starts with
---decoder_start_token_id. Takes the fields of a generation_config.json. Obeyed are max_new_tokens
---(20) or max_length, eos_token_id (or eos, one or a list), pad_token_id, sequence_bias,
---repetition_penalty, encoder_repetition_penalty, no_repeat_ngram_size,
---encoder_no_repeat_ngram_size, bad_words_ids, min_length, min_new_tokens, forced_bos_token_id,
---forced_eos_token_id, remove_invalid_values, exponential_decay_length_penalty, suppress_tokens,
---begin_suppress_tokens; with do_sample also temperature, top_h, top_k (50), top_p, min_p,
---typical_p, epsilon_cutoff, eta_cutoff and `seed` (0), whose numbers are Philox4x32-10's. One that
---asks for another algorithm (num_beams), or for the tokenizer (stop_strings), is an error.
---@param ids integer[]|integer[][]
---@param options table?
---@return qspec.Generation|qspec.Generation[] a list when a list of prompts was given
function Model:generate(ids, options) end

---@class qspec.Generation
---@field ids integer[] prompt and output; of an encoder-decoder the start token and the output
---@field steps qspec.GenerateStep[] one for each token made
---@field finished "eos"|"length"

---@class qspec.GenerateStep
---@field token integer
---@field logit number of that token, in fp32, after the rules and before the filters of a draw
---@field logprob number the natural logarithm of its share of what could be chosen
---@field margin number logit less that of the runner-up, both as they were before they were rounded
---to the model's dtype: a little negative where that rounding decided, infinite when the rules left
---no other token
---@field runner_up integer the best of the other tokens

---The logits of a few tokens as the one behind `ids`, summed in fp64 from the last hidden state:
---those of `forward` before they are rounded to the dtype of the model.
---@param ids integer[]
---@param tokens integer[] at least one
---@param source integer[]|nil what an encoder-decoder reads
---@return qspec.Tensor float64 [tokens]
function Model:exact_logits(ids, tokens, source) end

---Negative log-likelihood in nats of each token but the first, given those before it. Not of an
---encoder-decoder.
---@param ids integer[]
---@return qspec.Tensor float32 [tokens - 1]; the mean's exponential is the perplexity
function Model:score(ids) end

---float64 [tokens] each, same_top bool.
---@class qspec.Divergence
---@field nll qspec.Tensor
---@field baseline_nll qspec.Tensor
---@field kl qspec.Tensor
---@field same_top qspec.Tensor
---@field margin qspec.Tensor
---@field baseline_margin qspec.Tensor

---Runs both models on `ids` and compares, in fp64, their distributions of the tokens behind the
---first `first` (1 unless given). `kl` is the sum of p ln(p / q), p of the baseline, in nats; the
---margins are logits of the baseline's best token less those of the best other one, in each model.
---@param baseline qspec.Model of the same vocabulary
---@param ids integer[]
---@param first integer?
---@return qspec.Divergence
function Model:compare(baseline, ids, first) end

---This model with some modules as another one has them; both were built from one program. No
---weight is copied, so that it costs next to nothing, and either model may be released. What an
---instruction binds besides comes along: see `module_groups`.
---@param other qspec.Model
---@param names string[] modules of the program
---@return qspec.Model
function Model:with(other, names) end

---This model, keeping hidden states up to `bytes`. It and the models made of it by `with` begin a
---run of `forward`, `score` or `compare` behind the instructions that an earlier one of the same
---tokens shares with it. What came first stays.
---@param bytes integer
---@return qspec.Model
function Model:remembering(bytes) end

---The modules of the program by the instruction that binds them, in the order of their first use.
---Those of a group can be exchanged only together.
---@return string[][]
function Model:module_groups() end

---How far the output of each instruction with weights lies from the baseline's: SQNR in dB, 10
---log10 of the sum of squares of the baseline's output over that of the differences, in fp64;
---infinite where they are equal, NaN where a value is not finite.
---@param baseline qspec.Model of the same program
---@param ids integer[]|integer[][]
---@param source (integer[]|integer[][])? what an encoder-decoder reads
---@return qspec.ModuleError[] in order
function Model:module_errors(baseline, ids, source) end

---@class qspec.ModuleError
---@field modules string[] that the instruction binds
---@field added_db number the model's modules given the baseline's input: their own error
---@field inherited_db number the baseline's modules given the model's input: that of all before
---@field total_db number the model's modules given the model's input

---The names of the hidden states that forward can return: "embeddings", "layer.0", ..., "final",
---and before them those of an encoder: "encoder.embeddings", ...
---@return string[]
function Model:taps() end

---Frees the weights now. Using the model afterwards is an error.
function Model:release() end

return model
