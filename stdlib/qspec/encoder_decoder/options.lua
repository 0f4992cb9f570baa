-- The options of an architecture's encoder_decoder table. One that nobody knows is refused.

local decoder_options = require "qspec.decoder.options"
local schema = require "qspec.schema"

local M = {}

local STRING = { type = "string", required = true }
local COUNT = { type = "integer", required = true }
local FLAG = { type = "boolean", default = false }
local TABLE = { type = "table", required = true }

local DESCRIPTION = {
  width = COUNT, vocabulary = COUNT,
  embed = { type = "string", required = true, help = "the embeddings that all parts share" },
  norm = TABLE, attention = TABLE, distance = TABLE, encoder = TABLE, decoder = TABLE,
  mlp = TABLE, head = TABLE,
  linear = { type = "table", default = { class = "Linear" } },
  within_fp16 = { type = "boolean", default = false, help = "fp16 is clamped after each sum" },
  unsupported = { type = "string", help = "what in this config changes the arithmetic" },
}

-- A stack of layers: the names of its modules, those of a layer behind `prefix`. `cross` is of the
-- decoder: it looks at what the encoder made.
local STACK = {
  layers = COUNT, prefix = STRING, embed = STRING, final_norm = STRING,
  self = STRING, self_norm = STRING, mlp = STRING, mlp_norm = STRING,
}
local WITH_CROSS = { cross = STRING, cross_norm = STRING }
for name, declaration in pairs(STACK) do WITH_CROSS[name] = declaration end

local PARTS = {
  norm = decoder_options.NORM,
  attention = { q = STRING, k = STRING, v = STRING, out = STRING, heads = COUNT,
    head_width = COUNT, scale = { type = "number", default = 1 } },
  -- weight: a row of numbers, one a head, for each bucket of distances, in the first layer for all
  -- of them or in each; longest: distances from here on share the last bucket
  distance = { weight = STRING, buckets = COUNT, longest = COUNT, each_layer = FLAG },
  head = { weight = STRING, hidden_scale = { type = "number" } },
  encoder = STACK,
  decoder = WITH_CROSS,
}

--- The table with defaults filled in.
---@param name string of the architecture
---@param given table what its encoder_decoder function returned
---@return table
function M.check(name, given)
  local what = ("the encoder_decoder of architecture '%s'"):format(name)
  local description = schema.check(DESCRIPTION, given, what)
  for part, declaration in pairs(PARTS) do
    description[part] = schema.check(declaration, description[part], what .. ": " .. part)
  end
  description.mlp = decoder_options.mlp(description.mlp, what .. ": mlp")
  description.layers = description.encoder.layers + description.decoder.layers
  return description
end

return M
