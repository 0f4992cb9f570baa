-- The options of an architecture's decoder table. One that nobody knows is refused, with the
-- nearest name: a silent default would be another model.

local schema = require "qspec.schema"

local M = {}

local STRING = { type = "string", required = true }
local COUNT = { type = "integer", required = true }
local OPTIONAL_STRING = { type = "string" }
local FLAG = { type = "boolean", default = false }
local TABLE = { type = "table", required = true }

-- `bias`: true and false are what the architecture says; "stored" asks the checkpoint.
local BIAS = { type = { "boolean", "string" }, required = true }

local DECODER = {
  layers = COUNT, width = COUNT, vocabulary = COUNT,
  prefix = { type = "string", required = true, help = "of a layer's modules: 'model.layers.%d.'" },
  embed = TABLE, norm = TABLE, block = TABLE, attention = TABLE, mlp = TABLE, head = TABLE,
  final_norm = STRING,
  unsupported = { type = "string", help = "what in this config changes the arithmetic" },
}

local PARTS = {
  embed = { weight = STRING, norm = OPTIONAL_STRING },
  norm = { kind = { type = "string", required = true, allowed = { "layer_norm" } },
    eps = { type = "number", required = true } },
  block = { norm1 = STRING, norm2 = STRING, residual_from_norm = FLAG },
  attention = { fused = STRING, out = STRING, heads = COUNT, kv_heads = COUNT, head_width = COUNT,
    layout = { type = "string", required = true, allowed = { "concat", "per_head" } },
    bias = BIAS, alibi = { type = "list", required = true } },
  mlp = { kind = { type = "string", required = true, allowed = { "plain" } }, up = STRING,
    down = STRING, width = COUNT, activation = STRING, bias = BIAS },
  head = { weight = STRING },
}

--- The table with defaults filled in.
---@param name string of the architecture
---@param given table what its decoder function returned
---@return table
function M.check(name, given)
  local what = ("the decoder of architecture '%s'"):format(name)
  local options = schema.check(DECODER, given, what)
  for part, declaration in pairs(PARTS) do
    options[part] = schema.check(declaration, options[part], what .. ": " .. part)
  end
  return options
end

return M
