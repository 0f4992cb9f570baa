-- torchao's packed weight in a safetensors file: one tensor a part, `_weight_qdata` and companions.
--
-- transformers puts a tensor subclass in the place of the weight, which reports the dtype that the
-- weight had: to its footprint nothing is quantized.

local kinds = require "qspec.layouts.torchao_kinds"
local metadata = require "qspec.layouts.torchao_metadata"
local scale_faults = require "qspec.layouts.scale_faults"
local shapes = require "qspec.shapes"
local small_values = require "qspec.layouts.small_values"

local M = {
  name = "torchao",
  summary = "torchao's tensor subclasses: int8, int4, intx and float8 codes with their parts",
  least_sqnr_db = 14,
}

local PREFIX = "_weight_"

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  for _, suffix in ipairs(holding.list) do
    if suffix:sub(1, #PREFIX) == PREFIX then return true end
  end
  return false
end

-- Of a weight without metadata: what its tensors look like.
local function guessed(w)
  local codes = w.tensors._weight_qdata
  if codes and codes.dtype == "F8_E4M3" then return "Float8Tensor" end
  if w.tensors._weight_scale_and_zero then return "Int4TilePackedTo4dTensor" end
  if codes and codes.shape[#codes.shape] * 2 == w.shape[#w.shape] then return "Int4Tensor" end
  return "Int8Tensor"
end

local function torch_dtype(value)
  if type(value) == "string" then return value:match("[%w_]+$") end
  return type(value) == "table" and type(value._data) == "string" and value._data or nil
end

-- Sizes of a block along each dimension, nil when they are not what torchao writes.
local function block_of(data, shape)
  local block = data.block_size
  if type(block) ~= "table" or #block ~= #shape then return nil end
  for _, size in ipairs(block) do
    if not small_values.is_count(size) then return nil end
  end
  return { unpack(block) }
end

-- A block that explains the scales, when the metadata has none.
local function block_of_scale(w)
  local scale, block = w.tensors._weight_scale, {}
  for i, size in ipairs(w.shape) do
    local count = scale and scale.shape[i] or (i == #w.shape and 1 or size)
    block[i] = math.max(1, math.ceil(size / math.max(1, count)))
  end
  return block
end

--- How the weight is stored, by the file's metadata.
function M.scheme(w)
  local parameter = metadata.of_weight(w)
  local kind_name = parameter and parameter.type or guessed(w)
  local kind, data = kinds[kind_name], parameter and parameter.data or {}
  local block = block_of(data, w.shape)
  local used = block or block_of_scale(w)
  return { kind = kind, kind_name = kind_name, bits = kind.bits, data = data,
    type = type(kind.type) == "function" and kind.type(data) or kind.type,
    block = used, has_block = block ~= nil, has_metadata = parameter ~= nil,
    group_size = used[#used] < w.shape[#w.shape] and used[#used] or nil,
    names = parameter and parameter.names or nil, shape = w.shape, entries = w.tensors,
    dtype = torch_dtype(data.dtype), least_sqnr_db = kind.least_sqnr_db }
end

local OPAQUE_DTYPES = { "I8", "U8", "I32", "F8_E4M3", "F8_E8M0", "F32", "BF16", "F16" }

-- Shapes as they are: only presence is judged.
local function opaque_parts(scheme, module)
  local list = {}
  for i, name in ipairs(scheme.kind.names) do
    local entry = scheme.entries and scheme.entries[PREFIX .. name]
    list[i] = { suffix = PREFIX .. name, dtype = OPAQUE_DTYPES, role = "attribute",
      codes = name == "qdata", shape = entry and entry.shape or module.shape }
  end
  return list
end

local EXTRA = { "act_pre_scale", "act_quant_scale", "act_quant_zero_point", "per_tensor_scale" }

local function add_extra(list, scheme)
  for _, name in ipairs(EXTRA) do
    local entry = scheme.entries and scheme.entries[PREFIX .. name]
    if entry then
      list[#list + 1] = { suffix = PREFIX .. name, dtype = OPAQUE_DTYPES, shape = entry.shape,
        role = "attribute" }
    end
  end
end

local function parts_of(scheme, module)
  if scheme.kind.reason then return opaque_parts(scheme, module) end
  local list = {}
  for i, part in ipairs(scheme.kind.parts(scheme.shape or module.shape, scheme.block)) do
    local is_named = scheme.names and scheme.names[part.name]
    list[i] = { suffix = PREFIX .. part.name, dtype = part.dtype, shape = part.shape,
      codes = part.codes, role = "attribute", optional = part.optional and not is_named }
  end
  return list
end

--- The tensors of the weight. All that transformers counts is the weight as it was.
function M.tensors(scheme, module, dtype)
  local list = parts_of(scheme, module)
  add_extra(list, scheme)
  list[#list + 1] = { suffix = "weight", made = true, shape = module.shape,
    loaded = scheme.dtype or dtype or "float32" }
  return list
end

local function undivided(w)
  for i, size in ipairs(w.shape) do
    if size % w.scheme.block[i] ~= 0 then
      return ("%s in blocks of %s"):format(shapes.text(w.shape), shapes.text(w.scheme.block))
    end
  end
end

local function names_problem(w)
  for name in pairs(w.scheme.names or {}) do
    if not w.tensors[PREFIX .. name] then
      return { key = PREFIX .. name, found = "missing", wanted = "the part that the metadata names",
        hint = "torchao waits for all parts; the weight is never made" }
    end
  end
end

--- Contradictions of the metadata with the tensors.
function M.problems(w)
  local problems, scheme = {}, w.scheme
  local function add(key, found, wanted, hint)
    problems[#problems + 1] = { key = key, found = found, wanted = wanted, hint = hint }
  end
  if not scheme.has_metadata then
    add("weight", "no metadata of torchao in the file", "the tensor's class and block_size",
      "transformers refuses the checkpoint: was it converted by another tool?")
  elseif not scheme.kind.reason and not scheme.has_block and scheme.kind_name ~= "Float8Tensor" then
    add("block_size", "no list of sizes", "one size a dimension")
  end
  problems[#problems + 1] = names_problem(w)
  local rest = not scheme.kind.reason and undivided(w)
  if rest then add("block_size", rest, "a block that divides the weight") end
  return problems
end

--- Why it is not decoded.
function M.undecodable(w)
  local scheme = w.scheme
  if scheme.kind.reason then return scheme.kind_name .. ": " .. scheme.kind.reason end
  if w.tensors._weight_act_pre_scale then
    return "it has act_pre_scale: activations are scaled before the product"
  end
end

function M.pack(w)
  return w.scheme.kind.pack(w)
end

--- How torchao multiplies by it.
function M.linear(w)
  local kind = w.scheme.kind
  return kind.linear and kind.linear(w) or { weight = kind.pack(w) }
end

--- The scales as they are stored.
function M.scales(w)
  return w:read("_weight_scale")
end

-- Codes of fewer bits lie in bytes: nothing but the range says how many.
local function range_problem(w, problems)
  local bits = tonumber(tostring(w.scheme.type):match("^int(%d)$"))
  if not bits or bits == 8 or w.scheme.bits ~= 8 then return end
  local half = 2 ^ (bits - 1)
  local codes = w:read("_weight_qdata")
  local outside = codes:lt(-half):logical_or(codes:ge(half)):count_nonzero()
  if outside > 0 then
    problems[#problems + 1] = { key = "_weight_qdata", found = ("%d codes outside of %s")
      :format(outside, w.scheme.type), wanted = ("codes from %d to %d"):format(-half, half - 1) }
  end
end

local function nan_problem(w, problems)
  if w.scheme.kind_name ~= "Float8Tensor" then return end
  local nan = w:read("_weight_qdata"):view("uint8"):band(0x7f):eq(0x7f):count_nonzero()
  if nan > 0 then
    problems[#problems + 1] = { key = "_weight_qdata", found = ("%d codes of NaN"):format(nan),
      wanted = "numbers" }
  end
end

-- Rounding to a range that is not around zero spans all of it: its zero point follows from both
-- ends (choose_qparams_affine). A zero point beside codes that leave an end unused was shifted. Of
-- a block of nothing but zeros no end is known.
local SPAN = { [false] = 250, [true] = 122 }  -- of 255 and 127 steps; each end may round away

local function zero_problem(w, problems)
  local zeros, width = w:read("_weight_zero_point"), w.scheme.block[#w.scheme.block]
  if not zeros or w.scheme.kind_name ~= "Int8Tensor" or w.scheme.block[1] ~= 1 then return end
  local codes = w:read("_weight_qdata"):to("int32"):reshape(-1, width)
  zeros = zeros:to("int32"):reshape(-1, 1)
  local high, low = codes:max(2):reshape(-1, 1), codes:min(2):reshape(-1, 1)
  local span = high:maximum(zeros):sub(low:minimum(zeros))
  local is_narrow = span:lt(SPAN[w.scheme.data.reduce_range == true])
  local shifted = zeros:ne(0):logical_and(is_narrow):logical_and(span:gt(0)):count_nonzero()
  if shifted > 0 then
    problems[#problems + 1] = { key = "_weight_zero_point",
      found = ("%d of %d not 0, beside codes that leave a part of int8 unused"):format(shifted,
        zeros:numel()), wanted = "0 for symmetric codes, or codes from end to end",
      hint = "the zero points were shifted, or are another weight's" }
  end
end

--- Faults in the values.
function M.value_problems(w)
  local problems = {}
  if w.scheme.kind.reason then return problems end
  local scales = w:read("_weight_scale"):to("float32")
  local stats = scale_faults.check(problems, "_weight_scale", scales)
  if stats.zeros > 0 then
    problems[#problems + 1] = { key = "_weight_scale", found = ("%d of %d are 0"):format(
      stats.zeros, stats.count), wanted = "scales > 0",
      hint = "torchao never writes 0: what lay under it decodes to one value" }
  end
  range_problem(w, problems)
  nan_problem(w, problems)
  zero_problem(w, problems)
  return problems
end

return M
