-- e4m3 codes with `weight_scale`: one for the tensor, or one for each row.
--
-- Source: FBGEMM's quantize_fp8_per_row as transformers 5.17 stores it
-- (integrations/fbgemm_fp8.py); AutoFP8 and vLLM's fp8 with one scale a tensor. weight = code *
-- weight_scale in float32, rounded once to the dtype asked; the kernels multiply the accumulated
-- product instead.

local scale_faults = require "qspec.layouts.scale_faults"
local shapes = require "qspec.shapes"
local small_floats = require "qspec.layouts.small_floats"

local M = {}

local function is_per_tensor(entry)
  return shapes.count(entry.shape) == 1
end

local function scheme_of(layout)
  return function(w)
    local scale = w.tensors.weight_scale
    local whole = layout.granularity == "tensor"
    if scale and layout.granularity == "any" then whole = is_per_tensor(scale) end
    return { bits = 8, type = "float8_e4m3", shape = w.shape, whole = whole,
      scalar_shape = scale and whole and is_per_tensor(scale) and scale.shape or nil }
  end
end

local function tensors_of(layout)
  return function(scheme, module)
    local shape = scheme.shape or module.shape
    local list = {
      { suffix = "weight", dtype = "F8_E4M3", shape = shape, codes = true },
      { suffix = "weight_scale", dtype = { "F32", "BF16", "F16" }, loaded = "float32",
        shape = scheme.whole and (scheme.scalar_shape or {}) or { shape[1], 1 } },
    }
    for _, tensor in ipairs(layout.extra(module)) do list[#list + 1] = tensor end
    return list
  end
end

--- One scale, or one a row, in float32 [rows or 1, 1].
function M.scales(w)
  return small_floats.scales(w:read("weight_scale")):reshape(-1, 1)
end

local function pack(w)
  local scheme = w.scheme
  return require("host.tensor").coded {
    codes = w:read("weight"), bits = 8, values = small_floats.e4m3, scales = M.scales(w),
    block = { scheme.whole and w.shape[1] or 1, w.shape[2] }, shape = w.shape,
  }
end

--- Faults of e4m3 codes under scales by row, or one: codes of NaN, scales that no quantizer writes.
function M.value_problems(w)
  local problems, scales = {}, M.scales(w)
  local codes = w:read("weight"):view("uint8"):band(0x7f)
  local stats = scale_faults.check(problems, "weight_scale", scales)
  local nan = codes:eq(0x7f):count_nonzero()
  if nan > 0 then
    problems[#problems + 1] = { key = "weight", found = ("%d codes of NaN"):format(nan),
      wanted = "numbers", hint = "a value above 448 was cast without saturation" }
  end
  if stats.zeros > 0 then
    local lost = scales:eq(0):logical_and(codes:ne(0)):count_nonzero()
    if lost > 0 then
      problems[#problems + 1] = { key = "weight_scale",
        found = ("0 over %d codes that are not"):format(lost), wanted = "scales > 0",
        hint = "these weights decode to 0: a scale was lost" }
    end
  end
  return problems
end

--- A layout of this kind.
---@param o table {name, summary, class?, granularity: "tensor"|"row"|"any", extra?: fun(module),
---  problems?}
---@return table layout
function M.layout(o)
  local layout = { name = o.name, summary = o.summary, class = o.class, granularity = o.granularity,
    least_sqnr_db = 24, extra = o.extra or function() return {} end, problems = o.problems,
    scales = M.scales, pack = pack, value_problems = M.value_problems }
  layout.claims = function(holding)
    local t = holding.tensors
    return t.weight ~= nil and t.weight.dtype == "F8_E4M3" and t.weight_scale ~= nil
  end
  layout.scheme, layout.tensors = scheme_of(layout), tensors_of(layout)
  return layout
end

return M
