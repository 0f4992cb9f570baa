-- Mamba and Falcon Mamba: nothing but mixers.

local blocks = require "qspec.outline.blocks"

local M = {}

local TYPES = { vocab_size = "count", hidden_size = "count", num_hidden_layers = "count",
  state_size = "count", expand = "count", conv_kernel = "count", use_bias = "boolean",
  use_conv_bias = "boolean", tie_word_embeddings = "boolean" }

local DEFAULTS = { vocab_size = 50280, hidden_size = 768, num_hidden_layers = 32,
  state_size = 16, expand = 2, conv_kernel = 4, use_bias = false, use_conv_bias = true,
  tie_word_embeddings = true }

--- What to declare of the config.
---@param more table|nil defaults, over those of Mamba
---@param types table|nil
function M.config(more, types)
  return { required = {}, defaults = blocks.merged(DEFAULTS, more),
    types = blocks.merged(TYPES, types) }
end

--- The sizes of a mixer of the first Mamba.
function M.mixer(c)
  return { width = c.hidden_size, inner = c.expand * c.hidden_size, state = c.state_size,
    rank = blocks.auto(c, "time_step_rank", math.ceil(c.hidden_size / 16)),
    kernel = c.conv_kernel, bias = c.use_bias, conv_bias = c.use_conv_bias }
end

--- The outline: a norm and a mixer a layer.
---@param prefix string of the names of classes
---@param mixer fun(listing: qspec.Listing, prefix: string) lists a mixer
function M.outline(c, prefix, mixer)
  return { layers = c.num_hidden_layers,
    refusal = "layers of selective state spaces (" .. prefix .. "Mixer)",
    list = function(listing)
      local norm = blocks.norms(listing, prefix .. "RMSNorm", c.hidden_size)
      listing:embedding("backbone.embeddings", c.vocab_size, c.hidden_size)
      for index = 0, c.num_hidden_layers - 1 do
        local layer = ("backbone.layers.%d."):format(index)
        norm(layer .. "norm")
        mixer(listing, layer .. "mixer.")
      end
      norm "backbone.norm_f"
      listing:plain_linear("lm_head", c.hidden_size, c.vocab_size, false)
    end }
end

--- An architecture's file.
function M.architecture(prefix, fields)
  return blocks.merged({ class = prefix .. "ForCausalLM", base_prefix = "backbone.",
    output = "lm_head", tied = { { "lm_head", "backbone.embeddings" } }, keep_in_fp32 = {},
    keep_in_fp32_strict = {}, renames = { { "%.embedding%.", ".embeddings." } } }, fields)
end

return M
