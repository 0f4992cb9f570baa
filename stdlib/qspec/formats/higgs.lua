-- HIGGS: Hadamard-rotated groups with a Gaussian grid, through FLUTE.
--
-- Source: transformers 5.17, utils/quantization_config.py HiggsConfig,
-- quantizers/quantizer_higgs.py and integrations/higgs.py.

local exclusion_lists = require "qspec.exclusion_lists"
local small_values = require "qspec.layouts.small_values"
local tables = require "qspec.layouts.higgs_tables"

local M = {
  name = "higgs",
  summary = "lookup tables over Hadamard-rotated groups",
  methods = { "higgs" },
  layouts = { tables },
  fallbacks = {
    "transformers 5.17 cannot make it while loading, and its dequantize() raises",
  },
}

--- How it is told to leave modules alone.
M.exclude = exclusion_lists.field "modules_to_not_convert"

M.fields = {
  { name = "bits", type = "integer", default = 4, allowed = { 2, 3, 4 } },
  { name = "group_size", type = "integer", default = 256, allowed = { 64, 128, 256 } },
  { name = "hadamard_size", type = "integer", default = 512 },
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  { name = "p", type = "integer", default = 2, allowed = { 1, 2 } },
  { name = "quant_method", type = "string", default = "higgs" },
  { name = "tune_metadata", type = "object", default = {} },
}

--- What a config asks for.
function M.requested(q)
  local is_bits = q.bits == 2 or q.bits == 3 or q.bits == 4
  if not is_bits or not small_values.is_count(q.group_size) then
    return { problem = ("bits %s, group_size %s"):format(tostring(q.bits), tostring(q.group_size)),
      skip = q.modules_to_not_convert }
  end
  return { bits = q.bits, type = "higgs", class = tables.class, layout = tables,
    group_size = q.group_size, skip = q.modules_to_not_convert,
    scheme = { bits = q.bits, group_size = q.group_size } }
end

function M.converts(module)
  return module.class == "Linear"
end

return M
