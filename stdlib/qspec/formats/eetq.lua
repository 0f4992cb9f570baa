-- EETQ: int8 rows for CUDA.
--
-- Source: transformers 5.17, utils/quantization_config.py EetqConfig, quantizers/quantizer_eetq.py
-- and integrations/eetq.py.

local exclusion_lists = require "qspec.exclusion_lists"
local rows = require "qspec.layouts.eetq_rows"

local M = {
  name = "eetq",
  summary = "int8 rows in the order of EETQ's CUDA kernels",
  methods = { "eetq" },
  layouts = { rows },
  fallbacks = {
    "an entry of modules_to_not_convert that ends in '.weight' protects nothing",
  },
}

--- How it is told to leave modules alone.
M.exclude = exclusion_lists.field "modules_to_not_convert"

M.fields = {
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  { name = "quant_method", type = "string", default = "eetq" },
  { name = "weights", type = "string", default = "int8", allowed = { "int8" } },
}

--- What a config asks for.
function M.requested(q)
  if q.weights ~= "int8" then
    return { problem = ("weights '%s'"):format(tostring(q.weights)),
      skip = q.modules_to_not_convert }
  end
  return { bits = 8, type = "int8", class = rows.class, layout = rows, scheme = {},
    skip = q.modules_to_not_convert }
end

function M.converts(module)
  return module.class == "Linear"
end

return M
