-- T5 and its kin: RMS norms before each branch, attention without scale or bias of its own, learned
-- biases by distance, one table of embeddings for all.
--
-- Source: transformers 5.17, models/t5, models/mt5 and models/umt5.

local config_values = require "qspec.config_values"

local M = {}

local ALIASES = { hidden_size = "d_model", num_attention_heads = "num_heads",
  num_hidden_layers = "num_layers", head_dim = "d_kv" }

local TYPES = {
  vocab_size = "count", d_model = "count", d_kv = "count", d_ff = "count", num_layers = "count",
  num_decoder_layers = "count", num_heads = "count", relative_attention_num_buckets = "count",
  relative_attention_max_distance = "count", layer_norm_epsilon = "number",
  feed_forward_proj = "string", tie_word_embeddings = "boolean",
  scale_decoder_outputs = "boolean",
}

local DEFAULTS = { d_model = 512, d_kv = 64, relative_attention_num_buckets = 32,
  relative_attention_max_distance = 128, layer_norm_epsilon = 1e-6, eos_token_id = 1,
  pad_token_id = 0 }

-- "relu", "gated-gelu": with a gate or not, and its activation.
local function mlp(c)
  local gate, activation = c.feed_forward_proj:match("^(gated)%-([^%-]+)$")
  activation = activation or c.feed_forward_proj
  if activation:find("-", 1, true) then
    config_values.refuse("feed_forward_proj", c.feed_forward_proj, "NAME or gated-NAME")
  end
  if c.feed_forward_proj == "gated-gelu" then activation = "gelu_new" end
  return { kind = gate and "gated" or "plain", gate = gate and "DenseReluDense.wi_0" or nil,
    up = gate and "DenseReluDense.wi_1" or "DenseReluDense.wi", down = "DenseReluDense.wo",
    width = c.d_ff, activation = activation, bias = false, as_down = true }
end

local ENCODER = { prefix = "encoder.block.%d.layer.", embed = "encoder.embed_tokens",
  final_norm = "encoder.final_layer_norm", self = "0.SelfAttention.",
  self_norm = "0.layer_norm", mlp = "1.", mlp_norm = "1.layer_norm" }

local DECODER = { prefix = "decoder.block.%d.layer.", embed = "decoder.embed_tokens",
  final_norm = "decoder.final_layer_norm", self = "0.SelfAttention.",
  self_norm = "0.layer_norm", cross = "1.EncDecAttention.", cross_norm = "1.layer_norm",
  mlp = "2.", mlp_norm = "2.layer_norm" }

local function stack(names, layers)
  local copy = { layers = layers }
  for key, value in pairs(names) do copy[key] = value end
  return copy
end

-- The table of an architecture; `o` as M.architecture has it.
local function description(c, o)
  return {
    width = c.d_model, vocabulary = c.vocab_size, embed = "shared",
    norm = { kind = "rms_norm_own", eps = c.layer_norm_epsilon, class = o.prefix .. "LayerNorm" },
    attention = { q = "q", k = "k", v = "v", out = "o", heads = c.num_heads,
      head_width = c.d_kv },
    distance = { weight = "relative_attention_bias", buckets = c.relative_attention_num_buckets,
      longest = c.relative_attention_max_distance, each_layer = o.each_layer or false },
    mlp = mlp(c),
    encoder = stack(ENCODER, c.num_layers),
    decoder = stack(DECODER, c.num_decoder_layers or c.num_layers),
    head = { weight = "lm_head", hidden_scale = o.scales(c) and c.d_model ^ -0.5 or nil },
    within_fp16 = true,
  }
end

--- An architecture's file. Its weights are tied whatever the config says; in a file that has two
--- that differ, both are kept.
---@param o {prefix: string, defaults: table, each_layer: boolean|nil, scales: fun(c: table):
---  boolean, fields: table} scales: whether the decoder's output is scaled before the head
function M.architecture(o)
  local architecture = { class = o.prefix .. "ForConditionalGeneration",
    output = "lm_head", always_tied = true,
    tied = { { "lm_head", "shared" }, { "encoder.embed_tokens", "shared" },
      { "decoder.embed_tokens", "shared" } },
    keep_in_fp32 = { "wo" }, keep_in_fp32_strict = {},
    ignored = { "^decoder%.block%.0%.layer%.1%.EncDecAttention%.relative_attention_bias%.weight$" },
    config = { aliases = ALIASES, required = {}, types = TYPES,
      nullable = { "num_decoder_layers" } },
    encoder_decoder = function(c) return description(c, o) end }
  local defaults = {}
  for key, value in pairs(DEFAULTS) do defaults[key] = value end
  for key, value in pairs(o.defaults) do defaults[key] = value end
  architecture.config.defaults = defaults
  for key, value in pairs(o.fields) do architecture[key] = value end
  return architecture
end

return M
