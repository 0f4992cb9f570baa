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

---Binds weights to a program, as `qspec.decoder` makes it.
---@param program table
---@param weights table<string, qspec.ModuleWeights> by module name
---`dense_budget`: bytes of packed weights that may be kept decoded. `device`: "cpu", or "cuda:0"
---once host.cuda was required; results of its methods are on the CPU all the same.
---@param options {dense_budget: integer?, device: string?}?
---@return qspec.Model
function model.build(program, weights, options) end

---A model that can run. Token ids are those of its tokenizer, counted from 0.
---@class qspec.Model
local Model = {}

---Runs the model over one sequence of token ids, or over several padded on the left.
---`taps` names the hidden states to return; `last` asks for the logits of the last token only.
---@param ids integer[]|integer[][]
---@param options {taps: string[]?, last: boolean?}?
---@return qspec.Tensor logits [sequences, tokens or 1, vocabulary], in the dtype of the model
---@return table<string, qspec.Tensor> taps [sequences, tokens, width] each
function Model:forward(ids, options) end

---Continues a prompt greedily, as transformers' generate(do_sample=False) does. Takes the fields of
---a generation_config.json. Obeyed are max_new_tokens (20), eos_token_id (or eos, one or a list),
---repetition_penalty, no_repeat_ngram_size, min_length, min_new_tokens, forced_eos_token_id,
---suppress_tokens and begin_suppress_tokens; those of sampling have no effect; one that asks for
---another algorithm (num_beams) is an error.
---@param ids integer[]
---@param options table?
---@return qspec.Generation
function Model:generate(ids, options) end

---@class qspec.Generation
---@field ids integer[] prompt and output
---@field steps qspec.GenerateStep[] one for each token made
---@field finished "eos"|"length"

---@class qspec.GenerateStep
---@field token integer
---@field logit number of that token, in fp32
---@field margin number logit less that of the runner-up
---@field runner_up integer the second best token

---Negative log-likelihood in nats of each token but the first, given those before it.
---@param ids integer[]
---@return qspec.Tensor float32 [tokens - 1]; the mean's exponential is the perplexity
function Model:score(ids) end

---The names of the hidden states that forward can return: "embeddings", "layer.0", ..., "final".
---@return string[]
function Model:taps() end

---Frees the weights now. Using the model afterwards is an error.
function Model:release() end

return model
