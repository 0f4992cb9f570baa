-- Granite 3: see granite_like.

local granite_like = require "qspec.decoder.granite_like"
local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Granite", {
  name = "granite",
  summary = "Granite 3",
  model_types = { "granite" },
  config = llama_like.config { defaults = granite_like.defaults, types = granite_like.types },
  decoder = function(c) return granite_like.decoder(c, "Granite") end,
})
