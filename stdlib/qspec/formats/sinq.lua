-- SINQ: Sinkhorn-normalized quantization.
--
-- Source: transformers 5.17, utils/quantization_config.py SinqConfig, quantizers/quantizer_sinq.py
-- and integrations/sinq.py. The list of modules is passed as it is, without defaults.

local exclusion_lists = require "qspec.exclusion_lists"
local exclusions = require "qspec.exclusions"
local meta = require "qspec.layouts.sinq_meta"

local M = {
  name = "sinq",
  summary = "codes scaled along both dimensions (Sinkhorn normalization)",
  methods = { "sinq" },
  layouts = { meta },
  fallbacks = {
    "there are no default exclusions: without a list, lm_head is replaced too",
    "without W_q or meta, transformers takes whatever tensor there is for the weight",
    "each save nests the unknown keys of the config one level deeper, in _extra_kwargs",
  },
}

--- How it is told to leave modules alone.
M.exclude = exclusion_lists.field "modules_to_not_convert"

M.fields = {
  { name = "_extra_kwargs", type = "object", harmless = true },
  { name = "group_size", type = "integer", default = 64 },
  { name = "method", type = "string", default = "sinq", allowed = { "sinq", "asinq" } },
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  { name = "nbits", type = "integer", default = 4 },
  { name = "quant_method", type = "string", default = "sinq" },
  { name = "tiling_mode", type = "string", default = "1D" },
}

--- What the class does not know, quant_method too, goes into _extra_kwargs, which it does not know
--- either when it reads it again.
function M.normalize(values, raw)
  local known, extra = {}, { quant_method = "sinq" }
  for _, field in ipairs(M.fields) do known[field.name] = true end
  for key, value in pairs(raw) do
    if not known[key] or key == "quant_method" or key == "_extra_kwargs" then extra[key] = value end
  end
  values._extra_kwargs = extra
end

local BITS = { [2] = true, [3] = true, [4] = true, [5] = true, [6] = true, [8] = true }

--- What a config asks for.
function M.requested(q)
  if not BITS[q.nbits] then
    return { problem = ("nbits %s"):format(tostring(q.nbits)), skip = q.modules_to_not_convert }
  end
  return { bits = q.nbits, type = "uint" .. q.nbits, class = meta.class, layout = meta,
    skip = q.modules_to_not_convert, scheme = { bits = q.nbits } }
end

--- The request of each module: no list is an empty list.
function M.requests(model)
  local asked = model.requested
  local list = exclusions.in_force(model.architecture, model.modules, asked and asked.skip or {})
  local function of(module)
    if not (asked and asked.layout) or module.class ~= "Linear" then return nil end
    local exclusion = exclusions.find(list, module.name)
    if exclusion then
      return nil, ("excluded by '%s' (%s)"):format(exclusion.key, exclusion.source)
    end
    return asked
  end
  return { exclusions = list, judged = asked and asked.layout ~= nil or false, of = of }
end

return M
