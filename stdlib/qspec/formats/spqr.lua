-- SpQR: 3-bit tiles and sparse outliers.
--
-- Source: transformers 5.17, utils/quantization_config.py SpQRConfig, quantizers/quantizer_spqr.py
-- and integrations/spqr.py; spqr_quant 0.2.

local requests = require "qspec.requests"
local small_values = require "qspec.layouts.small_values"
local tiles = require "qspec.layouts.spqr_tiles"

local M = {
  name = "spqr",
  summary = "3-bit tiles with sparse outliers",
  methods = { "spqr" },
  layouts = { tiles },
  fallbacks = {
    "transformers 5.17 raises KeyError on any linear that is not at the top of the model",
  },
}

M.fields = {
  { name = "beta1", type = "integer", default = 16, allowed = { 16 } },
  { name = "beta2", type = "integer", default = 16, allowed = { 16 } },
  { name = "bits", type = "integer", default = 3, allowed = { 3 } },
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  { name = "quant_method", type = "string", default = "spqr" },
  { name = "shapes", type = "object", default = {} },
}

--- What a config asks for in general.
function M.requested(q)
  if type(q.shapes) ~= "table" or next(q.shapes) == nil then
    return { problem = "no shapes", skip = q.modules_to_not_convert,
      hint = "transformers looks up the sizes of every module there" }
  end
  return { bits = 3, type = "spqr", class = tiles.class, layout = tiles, scheme = {},
    skip = q.modules_to_not_convert }
end

function M.converts(module)
  return module.class == "Linear"
end

local function sizes_of(shapes, name)
  local sizes = {}
  for _, part in ipairs { "dense_weights", "row_offsets", "col_vals", "in_perm" } do
    local size = shapes[name .. "." .. part .. ".shape"]
    if type(size) == "table" then size = size[1] end
    sizes[part] = small_values.is_count(size, 2 ^ 48) and size or size == 0 and 0 or nil
  end
  return sizes
end

--- The request of each module, with the sizes that the config says.
function M.requests(model)
  local asked = model.requested
  if not (asked and asked.layout) then
    return requests.unjudged(model, asked and asked.skip or nil)
  end
  return requests.by_exclusion(model, asked.skip, function(module)
    return { bits = 3, type = "spqr", class = tiles.class, layout = tiles,
      scheme = { sizes = sizes_of(model.values.shapes, module.name) } }
  end)
end

return M
