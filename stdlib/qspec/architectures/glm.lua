-- GLM-4 (9b): rotary positions of neighbours in half of a head, gate and up in one.

local glm_like = require "qspec.decoder.glm_like"
local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Glm", {
  name = "glm",
  summary = "GLM-4 9b",
  model_types = { "glm" },
  config = llama_like.config { defaults = glm_like.defaults },
  decoder = function(c) return glm_like.decoder(c, "Glm") end,
})
