-- Falcon Mamba: Mamba with norms of its inner states that have no weights. Listed, not run.

local blocks = require "qspec.outline.blocks"
local llama_like = require "qspec.decoder.llama_like"
local mamba_like = require "qspec.outline.mamba_like"

local function weightless_norm(listing, c, name, width)
  listing:buffers(name, "FalconMambaWeightlessRMSNorm", { { name = "weight",
    dtype = llama_like.load_dtype(c), shape = { width } } })
end

return mamba_like.architecture("FalconMamba", {
  name = "falcon_mamba",
  summary = "Falcon Mamba (listed, not run)",
  model_types = { "falcon_mamba" },
  config = mamba_like.config(),
  outline = function(c)
    return mamba_like.outline(c, "FalconMamba", function(listing, prefix)
      local mixer = mamba_like.mixer(c)
      blocks.mamba(listing, prefix, mixer)
      weightless_norm(listing, c, prefix .. "dt_layernorm", mixer.inner)
      weightless_norm(listing, c, prefix .. "b_layernorm", mixer.state)
      weightless_norm(listing, c, prefix .. "c_layernorm", mixer.state)
    end)
  end,
})
