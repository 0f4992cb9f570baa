-- The builder for decoder-only models, of architectures with a field `decoder`. What such a table
-- says is in decoder/options.lua; from it come the list of its modules and its program.

local modules = require "qspec.decoder.modules"
local options = require "qspec.decoder.options"

local M = { check = options.check, list = modules.list }

function M.program(description, list)
  return require("qspec.decoder.program").build(description, list)
end

return M
