-- The builder for encoder-decoders, of architectures with a field `encoder_decoder`: the second and
-- last one. An encoder reads a source once; a decoder, whose layers look at both what it has
-- written and what the encoder made, writes the output. What the table says is in
-- encoder_decoder/options.lua.

local modules = require "qspec.encoder_decoder.modules"
local options = require "qspec.encoder_decoder.options"

local M = { check = options.check, list = modules.list }

function M.program(description, list)
  return require("qspec.encoder_decoder.program").build(description, list)
end

return M
