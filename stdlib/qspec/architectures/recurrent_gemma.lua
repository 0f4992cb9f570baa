-- RecurrentGemma: linear recurrences, local attention in every third layer. Listed, not run.

local blocks = require "qspec.outline.blocks"
local config_values = require "qspec.config_values"
local hybrid = require "qspec.outline.hybrid"
local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

local PREFIX = "RecurrentGemma"

local function recurrence(listing, prefix, c)
  local heads, width = c.num_attention_heads, c.hidden_size
  c.lru_width = c.lru_width or width
  local block = config_values.quotient(c, "lru_width", "num_attention_heads")
  listing:linear(prefix .. "linear_y", width, c.lru_width, true)
  listing:linear(prefix .. "linear_x", width, c.lru_width, true)
  listing:linear(prefix .. "linear_out", c.lru_width, width, true)
  listing:convolution(prefix .. "conv_1d", c.lru_width, c.conv1d_width, true)
  listing:parameter(prefix .. "rg_lru.recurrent_param", { c.lru_width })
  for _, gate in ipairs { "input_gate", "recurrent_gate" } do
    listing:parameter(prefix .. "rg_lru." .. gate .. "_weight", { heads, block, block })
    listing:parameter(prefix .. "rg_lru." .. gate .. "_bias", { heads, block })
  end
end

local function attention(listing, prefix, c)
  local o = blocks.attention_of(c)
  o.out_bias = true
  blocks.attention(listing, prefix, o)
  local frequencies = rope.read(c, { head_width = o.head_width, share = 0.5 })
  listing:buffers(prefix .. "rotary_emb", PREFIX .. "RotaryEmbedding", rope.buffers(frequencies))
end

local function layer(listing, name, index, norm, c)
  norm(name .. "temporal_pre_norm")
  local types = c.block_types
  local is_attention = types[index % #types + 1] == "attention"
  local temporal = is_attention and attention or recurrence
  temporal(listing, name .. "temporal_block.", c)
  norm(name .. "channel_pre_norm")
  local inner = math.floor(c.intermediate_size / 2)
  blocks.mlp(listing, name .. "mlp_block.", c.hidden_size, inner, true)
end

return llama_like.architecture(PREFIX, {
  name = "recurrent_gemma",
  summary = "RecurrentGemma (listed, not run)",
  model_types = { "recurrent_gemma" },
  config = llama_like.config {
    defaults = { vocab_size = 256000, hidden_size = 2560, intermediate_size = 7680,
      num_hidden_layers = 26, num_attention_heads = 10, conv1d_width = 4,
      block_types = { "recurrent", "recurrent", "attention" }, tie_word_embeddings = true },
    types = { conv1d_width = "count", lru_width = "count", block_types = "table" },
    nullable = { "lru_width" },
  },
  outline = function(c)
    local described = hybrid.outline(c, PREFIX, {
      refusal = "layers of linear recurrences (RecurrentGemmaRglru)",
      final_norm = "model.final_norm",
      layer = function(listing, name, index, norm) layer(listing, name, index, norm, c) end })
    local list = described.list
    function described.list(listing)
      listing:buffers("model", PREFIX .. "Model", { { name = "normalizer", dtype = "bfloat16",
        shape = {} } })
      list(listing)
    end
    return described
  end,
})
