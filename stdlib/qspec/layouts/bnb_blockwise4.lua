-- bitsandbytes' 4-bit storage: codes in blocks, one absmax a block, optionally nested.
--
-- Source: bitsandbytes 0.50.2, functional.py (QuantState.as_dict, quantize_4bit) and
-- nn/modules.py (Params4bit). `n` elements of a weight [out, in], flattened row-major; blocks may
-- straddle rows; element 2k is in the high nibble of byte k.

local json = require "host.json"
local codebooks = require "qspec.layouts.bnb_codebooks"
local shapes = require "qspec.shapes"

local M = {
  name = "bnb-4bit",
  summary = "4-bit codes of a 16-value codebook, one absmax a block, optionally quantized again",
  class = "Linear4bit",
  on_device = true,
  least_sqnr_db = 14,  -- nf4 and fp4 of trained weights lie at 18 to 21; swapped nibbles at -3
  mismatch_hint = "transformers reads the tensor's own state and never compares",
}

-- Rounding 63 small values beside one absmax to the codebook leaves 9.4 dB (nf4) and 5.5 dB (fp4)
-- at worst: the midpoint of the widest gap next to 0, blocks of 64.
local LEAST_BLOCK_DB = { nf4 = 9, fp4 = 5 }

local STATE = "^weight%.quant_state%.bitsandbytes__(%w+)$"
local BLOCK = 64
local NESTED_BLOCK = 256

local function state_suffix(list)
  for _, suffix in ipairs(list) do
    if suffix:match(STATE) then return suffix end
  end
end

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  if state_suffix(holding.list) then return true end
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

local STORAGE_BYTES = { U8 = 1, I8 = 1, F16 = 2, BF16 = 2, F32 = 4, F64 = 8 }

-- Of a weight whose state cannot be read: what most of them are.
local function assumed(w, suffix, reason)
  return { type = suffix and suffix:match(STATE) or "4-bit", block_size = BLOCK, reason = reason,
    nested_block = w.tensors["weight.nested_absmax"] and NESTED_BLOCK or nil }
end

--- How the weight is stored, from the quant_state that the checkpoint keeps beside it.
---@return table scheme {bits, type, block_size, storage, nested_block?, state?, reason?, dtype?}
function M.scheme(w)
  local suffix = state_suffix(w.list)
  local state, reason
  if suffix then state, reason = decode_state(w:bytes(suffix)) else reason = "is missing" end
  local scheme = state and { type = state.quant_type, block_size = state.blocksize,
    nested_block = state.nested_blocksize, state = state, dtype = state.dtype }
    or assumed(w, suffix, reason)
  scheme.bits, scheme.state_suffix, scheme.suffix_type = 4, suffix, suffix and suffix:match(STATE)
  scheme.least_block_sqnr_db = LEAST_BLOCK_DB[scheme.type]
  scheme.state_bytes = suffix and w.tensors[suffix].bytes
  local stored = w.tensors.weight
  scheme.storage = stored and STORAGE_BYTES[stored.dtype] and stored.dtype or "U8"
  return scheme
end

local function nested_tensors(list, scheme, blocks)
  local nested_block = is_count(scheme.nested_block) and scheme.nested_block or NESTED_BLOCK
  list[#list + 1] = { suffix = "weight.absmax", dtype = "U8", shape = { blocks } }
  list[#list + 1] = { suffix = "weight.nested_absmax", dtype = "F32",
    shape = { math.ceil(blocks / nested_block) } }
  list[#list + 1] = { suffix = "weight.nested_quant_map", dtype = "F32", shape = { 256 } }
end

--- The tensors of the weight, with dtype and shape. Only the packed weight is a parameter to
--- transformers; the rest are plain attributes.
function M.tensors(scheme, module)
  local elements = shapes.count(module.shape)
  local blocks = math.ceil(elements / scheme.block_size)
  local itemsize = STORAGE_BYTES[scheme.storage]
  local list = { { suffix = "weight.quant_map", dtype = "F32", shape = { 16 } } }
  if scheme.nested_block then
    nested_tensors(list, scheme, blocks)
  else
    list[2] = { suffix = "weight.absmax", dtype = "F32", shape = { blocks } }
  end
  if scheme.state_suffix then
    list[#list + 1] = { suffix = scheme.state_suffix, dtype = "U8",
      shape = { scheme.state_bytes } }
  end
  for _, tensor in ipairs(list) do tensor.role = "attribute" end
  table.insert(list, 1, { suffix = "weight", dtype = scheme.storage, codes = true,
    shape = { math.ceil(math.ceil(elements / 2) / itemsize), 1 } })
  return list
end

local function add_mismatch(problems, what, found, wanted, hint)
  problems[#problems + 1] = { key = what, found = tostring(found), wanted = tostring(wanted),
    hint = hint }
end

local function type_problems(problems, key, scheme, state)
  if state.quant_type ~= scheme.suffix_type then
    add_mismatch(problems, key, ("quant_type '%s' inside"):format(tostring(state.quant_type)),
      ("'%s', as its name says"):format(scheme.suffix_type))
  elseif not codebooks[state.quant_type] then
    add_mismatch(problems, key, ("quant_type '%s'"):format(tostring(state.quant_type)),
      "'nf4' or 'fp4'")
  end
end

--- Contradictions inside the quant_state, and between it and the module.
function M.problems(w)
  local problems, scheme = {}, w.scheme
  local state = scheme.state
  if not state then
    add_mismatch(problems, "weight.quant_state", scheme.reason, "the JSON that bitsandbytes writes",
      "without it transformers loads the packed bytes as a bare parameter")
    return problems
  end
  local key = scheme.state_suffix
  type_problems(problems, key, scheme, state)
  if not shapes.equal(state.shape, w.shape) then
    add_mismatch(problems, key, "shape " .. shapes.text(state.shape), shapes.text(w.shape))
  end
  if state.nested_blocksize ~= nil and not is_count(state.nested_blocksize) then
    add_mismatch(problems, key, "nested_blocksize " .. tostring(state.nested_blocksize),
      NESTED_BLOCK)
  end
  for name in pairs(state) do
    if not STATE_KEYS[name] then
      add_mismatch(problems, key, ("unknown key '%s'"):format(tostring(name)), "known keys only",
        "bitsandbytes refuses to load such a state")
    end
  end
  return problems
end

local function packed_bytes(w)
  local packed = w:read("weight")
  if packed:dtype() == "uint8" then return packed end
  return packed:view("uint8")  -- bnb_4bit_quant_storage may be any dtype; the bytes are the same
end

--- One absmax a block in fp32, nested or not.
---@return any absmax Tensor F32 [blocks]
function M.scales(w)
  local absmax, state = w:read("weight.absmax"), w.scheme.state
  if not w.scheme.nested_block then return absmax end
  local decoded = require("host.tensor").dequantize_codebook8 {
    codes = absmax,
    codebook = w:read("weight.nested_quant_map"),
    absmax = w:read("weight.nested_absmax"),
    block_size = state.nested_blocksize,
  }
  return decoded + state.nested_offset
end

--- The weight as an object that the engine decodes.
---@return any packed qspec.Packed, shape [out, in]
function M.pack(w)
  local state = w.scheme.state
  if not state then error("quant_state " .. w.scheme.reason, 0) end
  return require("host.tensor").codebook4 {
    codes = packed_bytes(w),
    codebook = w:read("weight.quant_map"),
    absmax = M.scales(w),
    block_size = state.blocksize,
    shape = state.shape,
  }
end

--- The codes as a matrix, for those who change them.
---@return any Tensor uint8 [out, in]
function M.codes(w)
  local fields = require("host.tensor").unpack_fields(packed_bytes(w):flatten(), 4, { 1, 0 })
  return fields:narrow(1, 1, shapes.count(w.shape)):reshape(w.shape)
end

--- The tensor that stores such a matrix.
function M.recode(w, codes)
  local flat, tensor = codes:flatten(), require "host.tensor"
  if flat:numel() % 2 == 1 then flat = tensor.cat { flat, tensor.zeros({ 1 }, "uint8") } end
  local pairs_of = flat:reshape(-1, 2):to("int32")
  local bytes = pairs_of:select(2, 1):lshift(4):bor(pairs_of:select(2, 2)):to("uint8")
  local entry = w.tensors.weight
  return bytes:view(entry.torch_dtype):reshape(entry.shape)
end

local FLOATS = { float16 = true, bfloat16 = true, float32 = true }

--- How the model runner multiplies by this weight: bitsandbytes decodes to the dtype of the
--- quant_state, and casts that to the compute dtype (functional.py dequantize_4bit, MatMul4Bit).
---@param values table quantization_config as read by qspec.quantization_config
function M.linear(w, values)
  return { weight = M.pack(w), decode_dtype = FLOATS[w.scheme.dtype] and w.scheme.dtype or nil,
    compute_dtype = values.bnb_4bit_compute_dtype or "float32" }
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

local function codebook_problems(w, state, problems)
  local known = codebooks[state.quant_type]
  local wanted = known and require("host.tensor").from(known.values, "float32")
  if known and not w:read("weight.quant_map"):equal(wanted) then
    add_mismatch(problems, "weight.quant_map", "other values than the " .. state.quant_type
      .. " codebook", "the codebook of " .. state.quant_type,
      "the weight was relabelled, or written by an unknown version")
  end
end

--- Faults in the values of the companions. Reads them all.
---@return table[] problems {key, found, wanted, hint?}
function M.value_problems(w)
  local problems, state = {}, w.scheme.state
  codebook_problems(w, state, problems)
  if state.nested_blocksize and not is_finite(state.nested_offset) then
    add_mismatch(problems, "weight.quant_state", "nested_offset " .. tostring(state.nested_offset),
      "a finite number")
    return problems
  end
  local absmax = M.scales(w)
  local stats = scale_problems(absmax, problems)
  if stats.zeros > 0 then
    lost_scales(packed_bytes(w), absmax, state.blocksize, problems)
  end
  return problems
end

return M
