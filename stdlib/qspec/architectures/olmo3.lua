-- OLMo 3: OLMo 2 with a window on three of four layers, and rotary positions by type of layer.

local layer_types = require "qspec.decoder.layer_types"
local llama_like = require "qspec.decoder.llama_like"
local olmo2_like = require "qspec.decoder.olmo2_like"
local rope = require "qspec.decoder.rope"

local defaults = { sliding_window = 4096, rope_theta = 500000 }
for key, value in pairs(olmo2_like.defaults) do defaults[key] = value end

return llama_like.architecture("Olmo3", {
  name = "olmo3",
  summary = "OLMo 3",
  model_types = { "olmo3" },
  config = llama_like.config { defaults = defaults },
  decoder = function(c)
    local types = layer_types.read(c, function(index) return (index + 1) % 4 ~= 0 end)
    local ropes = rope.by_type(c, { head_width = llama_like.head_width(c), precise = true,
      precise_table = true }, { sliding_attention = c.rope_theta, full_attention = c.rope_theta })
    local described = olmo2_like.decoder(c, "Olmo3", ropes.full_attention)
    described.attention.rope = function(index) return ropes[types(index)] end
    described.attention.window = layer_types.windows(c, types)
    described.constants.buffers = rope.buffers_by_type(ropes, function(type_of)
      return layer_types.has(c, types, type_of)
    end)
    return described
  end,
})
