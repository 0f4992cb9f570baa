-- Command R: see cohere_like. Command R+ has norms with a row of weights for each head.

local cohere_like = require "qspec.decoder.cohere_like"
local llama_like = require "qspec.decoder.llama_like"

local defaults = { rope_theta = 500000, use_qk_norm = false }
for key, value in pairs(cohere_like.defaults) do defaults[key] = value end

return llama_like.architecture("Cohere", {
  name = "cohere",
  summary = "Command R and R+",
  model_types = { "cohere" },
  config = llama_like.config { defaults = defaults, types = cohere_like.types },
  decoder = function(c)
    local described = cohere_like.decoder(c, "Cohere")
    if c.use_qk_norm then
      described.attention.norm = llama_like.head_norm(described)
      described.attention.norm.over = "head_rows"
    end
    return described
  end,
})
