-- Fine-grained fp8: e4m3 codes with one scale a block, or one a tensor; packed e2m1 for experts.
--
-- Source: transformers 5.17, integrations/finegrained_fp8.py (FP8Linear, FP8Experts,
-- Fp8Dequantize) and DeepSeek-V3's inference code. weight = code * weight_scale_inv[block] in
-- float32, rounded once to the dtype asked. Blocks at the edges are ragged, as the kernels have
-- them: Fp8Dequantize itself divides the rows by the rows of the grid instead, which is another
-- block when they do not divide. Scales may be exponent bytes (ue8m0): 2^(byte - 127). Experts of
-- one tensor have a grid each.

local block_grid = require "qspec.layouts.block_grid"
local scale_faults = require "qspec.layouts.scale_faults"
local shapes = require "qspec.shapes"
local small_floats = require "qspec.layouts.small_floats"
local StoredWeight = require "qspec.stored_weight"

local M = {
  name = "fp8-blocks",
  summary = "e4m3 codes with one scale a block or a tensor; packed e2m1 with one in 32 columns",
  class = "FP8Linear",
  least_sqnr_db = 24,  -- e4m3 of trained weights lies at 29 to 32; lost scales below 0
}

local PACKED_BLOCK = { 1, 32 }

-- A module that is one tensor of experts joins its companions by an underscore.
local function suffix_of(module, name)
  if module.kind == "experts" then return "_" .. name:gsub("^weight_", "") end
  return name
end

-- "scale" is DeepSeek-V4's name, which transformers renames.
local function scale_suffix(module, tensors)
  local usual = suffix_of(module, "weight_scale_inv")
  local renamed = suffix_of(module, "scale")
  return tensors and not tensors[usual] and tensors[renamed] and renamed or usual
end

local function is_packed(weight)
  return weight ~= nil and weight.dtype == "I8"
end

--- Whether these tensors are a weight of this layout, whole or damaged. A weight without any scale
--- is, too: the scale was lost.
function M.claims(holding)
  local t = holding.tensors
  if t.weight_scale_inv or t._scale_inv then return true end
  if not t.weight then return false end
  local is_bare = not t.weight_scale and not t._scale
  return is_bare and (t.weight.dtype == "F8_E4M3" or is_packed(t.weight) and t.scale ~= nil)
end

local function is_scalar(entry)
  return shapes.count(entry.shape) == 1 and #entry.shape < 2
end

-- The block of a weight: packed ones have their own, others the config's; without a config, the
-- one that the scales show. false: one scale for the whole weight.
local function block_of(w, packed, scale)
  if packed then return PACKED_BLOCK end
  local asked = w.request and w.request.scheme and w.request.scheme.block
  if asked ~= nil then return asked end
  if not scale then return { 128, 128 } end
  if is_scalar(scale) then return false end
  return block_grid.infer(w.shape, scale.shape)
end

--- How the weight is stored.
---@return table scheme {bits, type, shape, block: integer[]|false, scale_suffix, scale_dtype}
function M.scheme(w)
  local packed = is_packed(w.tensors.weight)
  local suffix = scale_suffix(w.module, w.tensors)
  local asked = w.request and w.request.scheme or {}
  return { bits = packed and 4 or 8, type = packed and "float4_e2m1" or "float8_e4m3",
    shape = w.shape, block = block_of(w, packed, w.tensors[suffix]), scale_suffix = suffix,
    scale_dtype = asked.scale_dtype, activation = asked.activation,
    stored_scale = w.tensors[suffix] and w.tensors[suffix].dtype,
    class = (w.module.kind == "experts" or w.module.expert) and "FP8Experts" or nil }
end

-- One scale over all of it; FP8Experts keeps two for gate and up.
local function whole_grid(module)
  if module.kind ~= "experts" then return {} end
  return { module.shape[1], module.name:find("gate_up_proj$") and 2 or 1, 1 }
end

local function grid_of(module, shape, block)
  if not block then return whole_grid(module) end
  local grid = block_grid.shape(shape, block)
  if module.kind == "experts" and module.name:find("gate_up_proj$") then
    grid[2] = math.max(grid[2], 2)
  end
  return grid
end

local SCALE_DTYPES = {
  float = { "F32", "BF16", "F16", "F8_E8M0", "U8" },
  ue8m0 = { "F8_E8M0", "U8", "F32" },
  bytes = { "U8", "F8_E8M0", "F32" },
}

-- What transformers makes of the scale: floats are cast to the dtype of the parameter, bytes stay.
local function loaded_scale(scheme)
  local dtypes = SCALE_DTYPES[scheme.scale_dtype or "float"]
  if (scheme.stored_scale or dtypes[1]) == "U8" then return "uint8" end
  return scheme.scale_dtype == "ue8m0" and "float8_e8m0fnu" or "float32"
end

local function weight_tensor(scheme, shape)
  local stored = { unpack(shape) }
  if scheme.bits == 4 then stored[#stored] = math.ceil(stored[#stored] / 2) end
  return { suffix = "weight", dtype = scheme.bits == 4 and "I8" or "F8_E4M3", shape = stored,
    codes = true }
end

--- The tensors of the weight. transformers holds all of them as parameters.
function M.tensors(scheme, module)
  local shape = scheme.shape or StoredWeight.logical_shape(module)
  local list = { weight_tensor(scheme, shape),
    { suffix = scheme.scale_suffix or scale_suffix(module), shape = grid_of(module, shape,
      scheme.block), dtype = SCALE_DTYPES[scheme.scale_dtype or "float"],
      loaded = loaded_scale(scheme),
      hint = "transformers reads the weight without its scale and says nothing" } }
  local is_static = scheme.activation == "static"
  list[3] = { suffix = suffix_of(module, "activation_scale"), dtype = { "F32", "BF16", "F16" },
    shape = module.kind == "experts" and { shape[1] } or {}, loaded = "float32",
    optional = not is_static }
  return list
end

--- Contradictions that headers show.
function M.problems(w)
  local problems, scheme = {}, w.scheme
  local activation = suffix_of(w.module, "activation_scale")
  if scheme.activation == "dynamic" and w.tensors[activation] then
    problems[1] = { key = activation, found = "a static scale of the activations",
      wanted = "none: activation_scheme is dynamic", hint = "transformers ignores it",
      harmless = true }
  end
  if scheme.bits == 4 and w.shape[#w.shape] % 2 ~= 0 then
    problems[#problems + 1] = { key = "weight", found = ("rows of %d values")
      :format(w.shape[#w.shape]), wanted = "an even number: two lie in a byte" }
  end
  return problems
end

-- The block in which a grid of this shape scales the weight. The two scales of gate and up may be
-- more than their blocks would need.
local function decoding_block(w, grid)
  local rank, block = #w.shape, w.scheme.block
  local rows, columns = w.shape[rank - 1], w.shape[rank]
  if not block then return { math.ceil(rows / (grid[rank - 1] or 1)), columns } end
  local needed = math.ceil(rows / block[1])
  local has_more = rank == 3 and grid[2] ~= needed
  return { has_more and math.ceil(rows / grid[2]) or block[1], block[2] }
end

--- One scale a block in float32, as a grid.
function M.scales(w)
  return small_floats.scales(w:read(w.scheme.scale_suffix))
end

--- The codes as a matrix, for those who change them; nil for packed ones.
---@return any|nil Tensor uint8 [out, in]
function M.codes(w)
  return w.scheme.bits == 8 and w:read("weight"):view("uint8") or nil
end

--- The tensor that stores such a matrix.
function M.recode(w, codes)
  return codes:view(w.tensors.weight.torch_dtype)
end

--- The weight as an object that the engine decodes.
function M.pack(w)
  local scheme = w.scheme
  local scales = w:read(scheme.scale_suffix)
  return require("host.tensor").coded {
    codes = w:read("weight"), bits = scheme.bits,
    values = scheme.bits == 4 and small_floats.e2m1 or small_floats.e4m3,
    scales = scales, scale_values = small_floats.scale_values(scales),
    block = decoding_block(w, scales:shape()), shape = w.shape,
  }
end

-- Codes as bytes, without their signs: 0 for both zeros, 0x7F for NaN.
local function magnitudes(w)
  local bytes = w:read("weight"):view("uint8")
  if w.scheme.bits == 4 then bytes = require("host.tensor").unpack_fields(bytes, 4) end
  return bytes:band(w.scheme.bits == 4 and 7 or 0x7f)
end

local function power_problem(w, scales, problems)
  if w.scheme.scale_dtype == nil or w.scheme.scale_dtype == "float" then return end
  if w.tensors[w.scheme.scale_suffix].dtype ~= "F32" then return end
  local bits = scales:view("int32"):band(0x7fffff)
  local other = bits:count_nonzero()
  if other > 0 then
    problems[#problems + 1] = { key = w.scheme.scale_suffix,
      found = ("%d of %d no powers of two"):format(other, scales:numel()),
      wanted = "powers of two, as scale_fmt ue8m0 says",
      hint = "transformers rounds them on load, and every weight under them changes" }
  end
end

--- Faults in the values: codes that are no numbers, scales that no quantizer writes.
function M.value_problems(w)
  local problems, scales, codes = {}, M.scales(w), magnitudes(w)
  local stats = scale_faults.check(problems, w.scheme.scale_suffix, scales)
  if w.scheme.bits == 8 then
    local nan = codes:eq(0x7f):count_nonzero()
    if nan > 0 then
      problems[#problems + 1] = { key = "weight", found = ("%d codes of NaN"):format(nan),
        wanted = "numbers", hint = "a value above 448 was cast without saturation" }
    end
  end
  if stats.zeros > 0 then
    local lost = block_grid.lost(scales, codes:ne(0), decoding_block(w, scales:shape()))
    if lost > 0 then
      problems[#problems + 1] = { key = w.scheme.scale_suffix,
        found = ("0 over %d codes that are not"):format(lost), wanted = "scales > 0",
        hint = "these weights decode to 0: a scale was lost" }
    end
  end
  power_problem(w, scales, problems)
  return problems
end

return M
