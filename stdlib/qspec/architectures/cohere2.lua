-- Command R7B: three layers with a window and rotary positions, then one without either.

local cohere_like = require "qspec.decoder.cohere_like"
local layer_types = require "qspec.decoder.layer_types"
local llama_like = require "qspec.decoder.llama_like"

local defaults = { sliding_window = 4096 }
for key, value in pairs(cohere_like.defaults) do defaults[key] = value end

return llama_like.architecture("Cohere2", {
  name = "cohere2",
  summary = "Command R7B",
  model_types = { "cohere2" },
  config = llama_like.config { defaults = defaults, types = cohere_like.types },
  decoder = function(c)
    local described = cohere_like.decoder(c, "Cohere2")
    local types = layer_types.read(c, function(index) return (index + 1) % 4 ~= 0 end)
    local frequencies = described.attention.rope
    described.attention.rope = function(index)
      return types(index) == "sliding_attention" and frequencies or nil
    end
    described.attention.window = layer_types.windows(c, types)
    return described
  end,
})
