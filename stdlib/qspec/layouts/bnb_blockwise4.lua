-- bitsandbytes' 4-bit storage: codes in blocks, one absmax a block, optionally nested.
--
-- Source: bitsandbytes 0.50.2, functional.py (QuantState.as_dict, quantize_4bit) and
-- nn/modules.py (Params4bit). `n` elements of a weight [out, in], flattened row-major; blocks may
-- straddle rows; element 2k is in the high nibble of byte k.

local json = require "host.json"
local codebooks = require "qspec.layouts.bnb_codebooks"

local M = {
  name = "bnb-4bit",
  summary = "4-bit codes of a 16-value codebook, one absmax a block, optionally quantized again",
  class = "Linear4bit",
  least_sqnr_db = 14,  -- nf4 and fp4 of trained weights lie at 18 to 21; swapped nibbles at -3
}

local STATE = "^weight%.quant_state%.bitsandbytes__(%w+)$"
local NESTED_BLOCK = 256

local function state_suffix(holding)
  for _, suffix in ipairs(holding.list) do
    if suffix:match(STATE) then return suffix end
  end
end

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  if state_suffix(holding) then return true end
  local t = holding.tensors
  return t["weight.absmax"] ~= nil or t["weight.quant_map"] ~= nil
    or (t.weight ~= nil and t.weight.dtype == "U8")
end

-- QuantState.from_dict refuses any other key.
local STATE_KEYS = { quant_type = true, blocksize = true, dtype = true, shape = true,
  nested_blocksize = true, nested_dtype = true, nested_offset = true }

local function is_count(value)
  return type(value) == "number" and value >= 1 and value % 1 == 0 and value < 2 ^ 53
end

local function decode_state(text)
  local ok, state = pcall(json.decode, text, "quant_state")
  if not ok then return nil, "is not JSON: " .. tostring(state.message or state) end
  if type(state) ~= "table" then return nil, "is not a JSON object" end
  if not is_count(state.blocksize) then return nil, "has no valid blocksize" end
  if type(state.shape) ~= "table" or #state.shape == 0 then return nil, "has no shape" end
  for _, size in ipairs(state.shape) do
    if not is_count(size) then return nil, "has a shape that is not a list of counts" end
  end
  return state
end

--- The quant_state that the checkpoint stores beside a weight.
---@return table|nil state with quant_type, blocksize, dtype, shape and, when nested, nested_*
---@return string|nil reason
function M.state(holding, checkpoint)
  local suffix = state_suffix(holding)
  if not suffix then return nil, "is missing" end
  local state, reason = decode_state(checkpoint:bytes(holding.tensors[suffix].name))
  if not state then return nil, reason end
  state.suffix_type = suffix:match(STATE)
  return state
end

function M.logical_dtype(holding, checkpoint)
  local state = M.state(holding, checkpoint)
  if state then return state.quant_type end
  local suffix = state_suffix(holding)
  return suffix and suffix:match(STATE) or "4-bit"
end

local function is_nested(holding, state)
  if state then return state.nested_blocksize ~= nil end
  return holding.tensors["weight.nested_absmax"] ~= nil
end

local function elements(module)
  return module.shape[1] * module.shape[2]
end

--- The companions that the module's weight must have, with dtype and shape.
function M.companions(holding, state, module)
  local block_size = state and state.blocksize or 64
  local blocks = math.ceil(elements(module) / block_size)
  local list = { { suffix = "weight.quant_map", dtype = "F32", shape = { 16 } } }
  if is_nested(holding, state) then
    local nested_block = state and state.nested_blocksize or NESTED_BLOCK
    list[#list + 1] = { suffix = "weight.absmax", dtype = "U8", shape = { blocks } }
    list[#list + 1] = { suffix = "weight.nested_absmax", dtype = "F32",
      shape = { math.ceil(blocks / nested_block) } }
    list[#list + 1] = { suffix = "weight.nested_quant_map", dtype = "F32", shape = { 256 } }
  else
    list[#list + 1] = { suffix = "weight.absmax", dtype = "F32", shape = { blocks } }
  end
  return list
end

local STORAGE_BYTES = { U8 = 1, I8 = 1, F16 = 2, BF16 = 2, F32 = 4, F64 = 8 }

--- The dtype and shape that the packed weight itself must have.
function M.weight(holding, module)
  local stored = holding.tensors.weight
  local itemsize = stored and STORAGE_BYTES[stored.dtype] or 1
  local dtype = stored and STORAGE_BYTES[stored.dtype] and stored.dtype or "U8"
  return { suffix = "weight", dtype = dtype,
    shape = { math.ceil(math.ceil(elements(module) / 2) / itemsize), 1 } }
end

local function add_mismatch(problems, what, found, wanted, hint)
  problems[#problems + 1] = { key = what, found = tostring(found), wanted = tostring(wanted),
    hint = hint }
end

--- Contradictions inside the quant_state, and between it and the module.
---@param module table with its shape [out, in]
function M.state_problems(holding, checkpoint, module)
  local problems = {}
  local state, reason = M.state(holding, checkpoint)
  if not state then
    add_mismatch(problems, "weight.quant_state", reason, "the JSON that bitsandbytes writes",
      "without it transformers loads the packed bytes as a bare parameter")
    return problems
  end
  local key = "weight.quant_state.bitsandbytes__" .. state.suffix_type
  if state.quant_type ~= state.suffix_type then
    add_mismatch(problems, key, ("quant_type '%s' inside"):format(tostring(state.quant_type)),
      ("'%s', as its name says"):format(state.suffix_type))
  elseif not codebooks[state.quant_type] then
    add_mismatch(problems, key, ("quant_type '%s'"):format(tostring(state.quant_type)),
      "'nf4' or 'fp4'")
  end
  local shape = table.concat(state.shape, " x ")
  local wanted = table.concat(module.shape, " x ")
  if shape ~= wanted then add_mismatch(problems, key, "shape " .. shape, wanted) end
  if state.nested_blocksize ~= nil and not is_count(state.nested_blocksize) then
    add_mismatch(problems, key, "nested_blocksize " .. tostring(state.nested_blocksize),
      NESTED_BLOCK)
  end
  for name in pairs(state) do
    if name ~= "suffix_type" and not STATE_KEYS[name] then
      add_mismatch(problems, key, ("unknown key '%s'"):format(tostring(name)), "known keys only",
        "bitsandbytes refuses to load such a state")
    end
  end
  return problems
end

--- Suffixes that transformers' get_memory_footprint counts; the rest are plain attributes to it.
M.counted = { weight = true, bias = true }

local function packed_bytes(tensor, checkpoint, holding)
  local packed = tensor.read(checkpoint, holding.tensors.weight.name)
  if packed:dtype() == "uint8" then return packed end
  return packed:view("uint8")  -- bnb_4bit_quant_storage may be any dtype; the bytes are the same
end

--- One absmax a block in fp32, nested or not.
---@return any absmax Tensor F32 [blocks]
function M.absmax(holding, checkpoint, state)
  local tensor = require "host.tensor"
  local t = holding.tensors
  local absmax = tensor.read(checkpoint, t["weight.absmax"].name)
  if not is_nested(holding, state) then return absmax end
  local decoded = tensor.dequantize_codebook8 {
    codes = absmax,
    codebook = tensor.read(checkpoint, t["weight.nested_quant_map"].name),
    absmax = tensor.read(checkpoint, t["weight.nested_absmax"].name),
    block_size = state.nested_blocksize,
  }
  return decoded + state.nested_offset
end

--- The weight as an object that the engine decodes.
---@return any packed qspec.Packed, shape [out, in]
function M.pack(holding, checkpoint)
  local tensor = require "host.tensor"
  local state, reason = M.state(holding, checkpoint)
  if not state then error("quant_state " .. reason, 0) end
  return tensor.codebook4 {
    codes = packed_bytes(tensor, checkpoint, holding),
    codebook = tensor.read(checkpoint, holding.tensors["weight.quant_map"].name),
    absmax = M.absmax(holding, checkpoint, state),
    block_size = state.blocksize,
    shape = state.shape,
  }
end

--- How the model runner multiplies by this weight.
function M.linear(holding, checkpoint, quantization)
  return { weight = M.pack(holding, checkpoint),
    compute_dtype = quantization.bnb_4bit_compute_dtype or "float32" }
end

local function is_finite(value)
  return type(value) == "number" and value == value and math.abs(value) < math.huge
end

local function scale_problems(absmax, problems)
  local stats = absmax:stats()
  if stats.nan + stats.inf > 0 then
    add_mismatch(problems, "weight.absmax", ("%d not finite"):format(stats.nan + stats.inf),
      "every absmax a finite number", "a scale was lost")
  elseif stats.min < 0 then
    add_mismatch(problems, "weight.absmax", ("a negative absmax, %g"):format(stats.min),
      "absmax >= 0")
  end
  return stats
end

--- A block whose absmax is 0 held only zeros, which quantize to one code. Different codes under a
--- zero absmax mean that the scale was lost. (A partial last block is not looked at.)
local function lost_scales(codes, absmax, block_size, problems)
  local bytes = block_size / 2
  local full = math.floor(codes:numel() / bytes)
  if full == 0 then return end
  local blocks = codes:flatten():narrow(1, 1, full * bytes):reshape(full, bytes)
  local varied = blocks:ne(blocks:narrow(2, 1, 1)):any(2)
  local lost = absmax:narrow(1, 1, full):eq(0):logical_and(varied):count_nonzero()
  if lost > 0 then
    add_mismatch(problems, "weight.absmax", ("absmax 0 over %d of %d blocks that hold codes")
      :format(lost, absmax:numel()), "absmax > 0 wherever a block is not all zero",
      "these weights decode to 0: a scale was lost")
  end
end

--- Faults in the values of the companions. Reads them all.
---@return table[] problems {key, found, wanted, hint?}
function M.value_problems(holding, checkpoint)
  local tensor = require "host.tensor"
  local problems = {}
  local state = M.state(holding, checkpoint)
  local codebook = tensor.read(checkpoint, holding.tensors["weight.quant_map"].name)
  local known = codebooks[state.quant_type]
  if known and not codebook:equal(tensor.from(known.values, "float32")) then
    add_mismatch(problems, "weight.quant_map", "other values than the " .. state.quant_type
      .. " codebook", "the codebook of " .. state.quant_type,
      "the weight was relabelled, or written by an unknown version")
  end
  if state.nested_blocksize and not is_finite(state.nested_offset) then
    add_mismatch(problems, "weight.quant_state", "nested_offset " .. tostring(state.nested_offset),
      "a finite number")
    return problems
  end
  local absmax = M.absmax(holding, checkpoint, state)
  local stats = scale_problems(absmax, problems)
  if stats.zeros > 0 then
    lost_scales(packed_bytes(tensor, checkpoint, holding), absmax, state.blocksize, problems)
  end
  return problems
end

return M
