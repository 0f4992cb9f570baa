-- OLMo 2: norms behind attention and MLP and over the whole projections of queries and keys.

local llama_like = require "qspec.decoder.llama_like"
local olmo2_like = require "qspec.decoder.olmo2_like"
local rope = require "qspec.decoder.rope"

return llama_like.architecture("Olmo2", {
  name = "olmo2",
  summary = "OLMo 2",
  model_types = { "olmo2" },
  config = llama_like.config { defaults = olmo2_like.defaults },
  decoder = function(c)
    return olmo2_like.decoder(c, "Olmo2", rope.read(c, { head_width = llama_like.head_width(c),
      precise = true, precise_table = true }))
  end,
})
