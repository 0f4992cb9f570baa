-- AQLM's storage: a block of weights is the sum of one vector of each codebook, times a scale.
--
-- Source: aqlm 1.1.7, inference.py (QuantizedLinear) and utils.py (_dequantize_weight,
-- unpack_int_data: codes are signed, read modulo 2^bits). The sum of the vectors, in float32, is
-- rounded to the dtype of the codebooks, and so is its product with the scale: as embedding_bag of
-- torch 2.11 sums float32 and float16 on the CPU; sums of bfloat16 it rounds another way.

local scale_faults = require "qspec.layouts.scale_faults"
local small_values = require "qspec.layouts.small_values"

local M = {
  name = "aqlm",
  summary = "sums of codebook vectors over blocks of rows and columns, one scale a row of blocks",
  class = "QuantizedLinear",
  least_sqnr_db = 3,
}

local FLOATS = { "F16", "BF16", "F32" }
local CODES = { [8] = "I8", [16] = "I16", [32] = "I32" }

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  local t = holding.tensors
  return t.codebooks ~= nil or t.codes ~= nil and t.scales ~= nil
end

local function log2_of(size)
  local bits = size and size > 0 and math.log(size) / math.log(2) or nil
  local whole = bits and math.floor(bits + 0.5)
  return whole and 2 ^ whole == size and whole or nil
end

--- How the weight is stored, from the shape of the codebooks.
function M.scheme(w)
  local books = w.tensors.codebooks
  local shape = books and #books.shape == 4 and books.shape or {}
  local asked = w.request and w.request.scheme or {}
  local count, bits = shape[1] or asked.count or 1, log2_of(shape[2]) or asked.code_bits or 16
  local rows, columns = shape[3] or asked.rows or 1, shape[4] or asked.columns or 8
  return { bits = count * bits / math.max(1, rows * columns), type = "aqlm", count = count,
    code_bits = bits, rows = math.max(1, rows), columns = math.max(1, columns), shape = w.shape }
end

local function code_dtype(bits)
  return CODES[bits <= 8 and 8 or bits <= 16 and 16 or 32]
end

--- The tensors of the weight, all of them parameters.
function M.tensors(scheme, module, dtype)
  local shape = scheme.shape or module.shape
  local groups = math.ceil(shape[1] / scheme.rows)
  return {
    { suffix = "codes", dtype = code_dtype(scheme.code_bits), codes = true,
      shape = { groups, math.ceil(shape[2] / scheme.columns), scheme.count } },
    { suffix = "codebooks", dtype = FLOATS, loaded = dtype,
      shape = { scheme.count, 2 ^ scheme.code_bits, scheme.rows, scheme.columns } },
    { suffix = "scales", dtype = FLOATS, shape = { groups, 1, 1, 1 }, loaded = dtype },
  }
end

--- Contradictions that headers show.
function M.problems(w)
  local problems, scheme = {}, w.scheme
  local asked = w.request and w.request.scheme
  for _, field in ipairs(asked and { "count", "code_bits", "rows", "columns" } or {}) do
    if asked[field] ~= scheme[field] then
      problems[#problems + 1] = { key = "codebooks", found = ("%s %s"):format(M.words[field],
        tostring(scheme[field])), wanted = tostring(asked[field]) .. ", as the config says" }
    end
  end
  if w.shape[1] % scheme.rows ~= 0 or w.shape[2] % scheme.columns ~= 0 then
    problems[#problems + 1] = { key = "codebooks", wanted = "sizes that divide the weight",
      found = ("vectors of %d x %d"):format(scheme.rows, scheme.columns) }
  end
  return problems
end

--- What the config calls the sizes.
M.words = { count = "num_codebooks", code_bits = "nbits_per_codebook", rows = "out_group_size",
  columns = "in_group_size" }

--- Why it is not decoded.
function M.undecodable(w)
  local count = w.scheme.code_bits
  if not small_values.is_count(count, 16) then return ("%s bits a code"):format(tostring(count)) end
end

--- The weight as an object that the engine decodes.
function M.pack(w)
  return require("host.tensor").vector_sums { codes = w:read("codes"),
    codebooks = w:read("codebooks"), scales = w:read("scales"), shape = w.shape }
end

--- One scale a row of blocks.
function M.scales(w)
  return w:read("scales")
end

--- Faults in the values.
function M.value_problems(w)
  local problems = {}
  local stats = scale_faults.check(problems, "scales", w:read("scales"):to("float32"))
  if stats.zeros > 0 then
    problems[#problems + 1] = { key = "scales", found = ("%d of %d are 0"):format(stats.zeros,
      stats.count), wanted = "scales > 0", hint = "these rows decode to 0: a scale was lost" }
  end
  local books = w:read("codebooks"):stats()
  if books.nan + books.inf > 0 then
    problems[#problems + 1] = { key = "codebooks", found = ("%d not finite"):format(books.nan
      + books.inf), wanted = "finite numbers" }
  end
  return problems
end

return M
