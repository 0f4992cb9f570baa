-- Granite 3 MoE: see granitemoe_like.

local granitemoe_like = require "qspec.decoder.granitemoe_like"
local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("GraniteMoe", {
  name = "granitemoe",
  summary = "Granite 3 MoE",
  model_types = { "granitemoe" },
  renames = granitemoe_like.renames,
  config = granitemoe_like.config(),
  decoder = function(c)
    return granitemoe_like.decoder(c, "GraniteMoe")
  end,
})
