---@meta
-- A model as a spec's check sees it.

---@class qspec.SpecModel
local Model = {}

--- Its name in the spec, or its folder's.
---@return string
function Model:name() end

--- A copy of config.json.
---@return table
function Model:config() end

--- The architecture's name: "bloom".
---@return string
function Model:architecture() end

--- The modules that hold parameters, in the order of the model.
---@param pattern string?
---@return qspec.Module[]
function Model:modules(pattern) end

--- One module by its full name; raises with the nearest name when there is none.
---@param name string
---@return qspec.Module
function Model:module(name) end

--- Token ids of a text, special tokens added as the tokenizer does.
---@param text string
---@return integer[]
function Model:encode(text) end

--- Text of token ids, special tokens left out.
---@param ids integer[]
---@return string
function Model:decode(ids) end

--- Runs the model once. Logits are [1, tokens, vocabulary], or [1, 1, vocabulary] with `last`.
--- An encoder-decoder reads the input as its source; its decoder is given `decoder_ids`, or the
--- token that every output starts with.
---@param input string|integer[]
---@param options { taps: string[]?, last: boolean?, decoder_ids: integer[]?, step: integer?,
---  random_rounding: integer? }? taps: "embeddings", "layer.3", "final", and of an encoder
---  "encoder.layer.3"; step: tokens at a time, with a cache; random_rounding: the seed of it
---@return qspec.Tensor logits
---@return table<string, qspec.Tensor> taps hidden states [1, tokens, hidden]
function Model:forward(input, options) end

--- Negative log-likelihood in nats of tokens 2..n, fp32 [n - 1]. Not of an encoder-decoder.
---@param input string|integer[]
---@return qspec.Tensor
function Model:score(input) end

--- Greedy generation under the model's generation_config.
---@param prompt string
---@param options { max_new_tokens: integer? }?
---@return table generation {text, input_ids, given_ids, output_ids, steps: {token, logit, logprob,
---  margin, runner_up}[], finished: "eos"|"length"|"stop"}
function Model:generate(prompt, options) end

return Model
