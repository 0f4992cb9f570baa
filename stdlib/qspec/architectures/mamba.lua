-- Mamba: listed, not run.

local blocks = require "qspec.outline.blocks"
local mamba_like = require "qspec.outline.mamba_like"

return mamba_like.architecture("Mamba", {
  name = "mamba",
  summary = "Mamba (listed, not run)",
  model_types = { "mamba" },
  config = mamba_like.config(),
  outline = function(c)
    return mamba_like.outline(c, "Mamba", function(listing, prefix)
      blocks.mamba(listing, prefix, mamba_like.mixer(c))
    end)
  end,
})
