-- What Zamba and Zamba2 share: a mixer in every layer, and in some a shared block before it.

local blocks = require "qspec.outline.blocks"
local config_values = require "qspec.config_values"
local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

local M = {}

local TYPES = { vocab_size = "count", hidden_size = "count", num_hidden_layers = "count",
  num_attention_heads = "count", num_key_value_heads = "count", intermediate_size = "count",
  mamba_d_state = "count", mamba_d_conv = "count", mamba_expand = "count",
  n_mamba_heads = "count", tie_word_embeddings = "boolean", layers_block_type = "table" }

local FILE = { output = "lm_head", base_prefix = "model.",
  tied = { { "lm_head", "model.embed_tokens" } }, keep_in_fp32 = {}, keep_in_fp32_strict = {} }

--- What to declare of the config.
function M.config(defaults, types)
  return { required = {}, aliases = { layer_types = "layers_block_type" },
    nullable = { "num_key_value_heads", "intermediate_size", "layers_block_type" },
    defaults = blocks.merged({ tie_word_embeddings = true }, defaults),
    types = blocks.merged(TYPES, types) }
end

--- The width of a head: those of all of them are twice the model's.
function M.head_width(c)
  return config_values.quotient({ num_attention_heads = c.num_attention_heads,
    hidden_size = 2 * c.hidden_size }, "hidden_size", "num_attention_heads")
end

local function hybrid_layers(c, usual)
  local types = c.layers_block_type
  if types and #types < c.num_hidden_layers then
    config_values.refuse("layers_block_type", #types, ("one of each of %d layers"):format(
      c.num_hidden_layers))
  end
  local set, count = {}, 0
  for index = 0, c.num_hidden_layers - 1 do
    set[index] = usual(index)
    if types then set[index] = types[index + 1] == "hybrid" end
    count = count + (set[index] and 1 or 0)
  end
  return set, count
end

-- A layer with a shared block has its mixer one level further in.
local function layer(listing, name, c, norm, o)
  local inner = name
  if o.shared then
    o.shared(listing, name, c, norm, o.layers)
    listing:linear(name .. "linear", c.hidden_size, c.hidden_size, false)
    inner = name .. "mamba_decoder."
  end
  o.mixer(listing, inner .. "mamba.", c)
  norm(inner .. "input_layernorm")
end

--- The outline.
---@param c table config
---@param prefix string of the names of classes
---@param o {is_hybrid: (fun(index: integer): boolean), mixer: function, shared: (fun(): function),
---  rotary: boolean|nil}
function M.outline(c, prefix, o)
  local set, count = hybrid_layers(c, o.is_hybrid)
  return { layers = c.num_hidden_layers,
    refusal = "layers of selective state spaces (" .. prefix .. "MambaMixer)",
    list = function(listing)
      local norm, shared = blocks.norms(listing, prefix .. "RMSNorm", c.hidden_size), o.shared()
      listing:embedding("model.embed_tokens", c.vocab_size, c.hidden_size)
      for index = 0, c.num_hidden_layers - 1 do
        layer(listing, ("model.layers.%d."):format(index), c, norm, { mixer = o.mixer,
          shared = set[index] and shared or nil, layers = count })
      end
      norm "model.final_layernorm"
      if o.rotary then
        local rotary = llama_like.rotary(prefix, rope.read(c, { head_width = M.head_width(c) }))
        listing:buffers(rotary.name, rotary.class, rotary.buffers)
      end
      listing:plain_linear("lm_head", c.hidden_size, c.vocab_size, false)
    end }
end

--- An architecture's file.
function M.architecture(prefix, fields)
  return blocks.merged(blocks.merged(FILE, { class = prefix .. "ForCausalLM" }), fields)
end

return M
