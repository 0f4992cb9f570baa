-- bitsandbytes' LLM.int8() storage: int8 codes, one absmax an output row (SCB).
--
-- Source: LLM.int8() (Dettmers et al. 2022); bitsandbytes 0.50.2, nn/modules.py (Int8Params,
-- Linear8bitLt): weight = codes * SCB[row] / 127.

local M = {
  name = "bnb-int8",
  summary = "int8 codes with one absmax a row",
  class = "Linear8bitLt",
  on_device = true,
  least_sqnr_db = 30,  -- int8 rows of trained weights lie at 38 to 44
}

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  local t = holding.tensors
  return t.SCB ~= nil or t.weight_format ~= nil or (t.weight ~= nil and t.weight.dtype == "I8")
end

function M.scheme(w)
  return { bits = 8, type = "int8", shape = w.shape }
end

function M.tensors(scheme, module)
  local shape = scheme.shape or module.shape
  return {
    { suffix = "weight", dtype = "I8", shape = shape, codes = true },
    { suffix = "SCB", dtype = "F32", shape = { shape[1] }, role = "attribute" },
    { suffix = "weight_format", dtype = "U8", shape = {}, role = "attribute" },
  }
end

--- Contradictions in the small companions: only the row layout (0) is written today.
function M.problems(w)
  local format = w.tensors.weight_format
  if not format or format.bytes ~= 1 then return {} end
  local value = w:bytes("weight_format"):byte()
  if value == 0 then return {} end
  return { { key = "weight_format", found = tostring(value), wanted = "0 (row)",
    hint = "1 to 3 are layouts of old GPUs that bitsandbytes no longer reads" } }
end

--- The weight as an object that the engine decodes.
function M.pack(w)
  return require("host.tensor").rowwise_int8 { codes = w:read("weight"), absmax = w:read("SCB") }
end

--- The codes as a matrix, for those who change them: two's complement as bytes.
---@return any Tensor uint8 [out, in]
function M.codes(w)
  return w:read("weight"):view("uint8")
end

--- The tensor that stores such a matrix.
function M.recode(_, codes)
  return codes:view("int8")
end

--- One absmax an output row in fp32.
function M.scales(w)
  return w:read("SCB")
end

--- How the model runner multiplies by this weight: LLM.int8() with outliers apart.
---@param values table quantization_config as read by qspec.quantization_config
function M.linear(w, values)
  return { int8 = { codes = w:read("weight"), absmax = w:read("SCB"),
    threshold = values.llm_int8_threshold or 6.0 } }
end

--- Faults in the values of the companions. Reads them all.
function M.value_problems(w)
  local problems = {}
  local function add(key, found, wanted, hint)
    problems[#problems + 1] = { key = key, found = found, wanted = wanted, hint = hint }
  end
  local absmax, codes = w:read("SCB"), w:read("weight")
  local stats = absmax:stats()
  if stats.nan + stats.inf > 0 then
    add("SCB", ("%d not finite"):format(stats.nan + stats.inf), "every SCB a finite number",
      "a scale was lost")
  elseif stats.min < 0 then
    add("SCB", ("a negative absmax, %g"):format(stats.min), "SCB >= 0")
  end
  local live = codes:ne(0):any(2)
  local lost = absmax:eq(0):logical_and(live):count_nonzero()
  if lost > 0 then
    add("SCB", ("0 over %d rows that hold codes"):format(lost),
      "SCB > 0 wherever a row is not all zero", "these weights decode to 0: a scale was lost")
  end
  local least = codes:eq(-128):count_nonzero()
  if least > 0 then
    add("weight", ("%d codes of -128"):format(least), "codes from -127 to 127",
      "absmax quantization never writes -128")
  end
  return problems
end

return M
