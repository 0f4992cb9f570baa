-- CodeGen: GPT-J with a fused projection that was laid out for four devices.

local gptj_like = require "qspec.decoder.gptj_like"

return gptj_like.architecture("CodeGen", {
  name = "codegen",
  summary = "CodeGen",
  model_types = { "codegen" },
  decoder = function(c)
    return gptj_like.decoder(c, "CodeGen", { fused = "attn.qkv_proj", layout = "codegen" })
  end,
})
