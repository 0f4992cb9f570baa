-- Codes of a few bits in 32-bit words, packed bit by bit: what GPTQ's and AWQ's tests make.

local tensor = require "host.tensor"

local M = {}

--- A matrix of f(row, column), both counted from 0.
function M.matrix(rows, columns, f)
  local result = {}
  for r = 1, rows do
    result[r] = {}
    for c = 1, columns do result[r][c] = f(r - 1, c - 1) end
  end
  return result
end

--- A number that looks random and is the same every time.
function M.noise(a, b)
  return (a * 7919 + b * 104729 + a * b * 31 + 17) % 1009
end

local function as_signed(word)
  return word >= 2 ^ 31 and word - 2 ^ 32 or word
end

local function set_bits(words, first, bits, code)
  for k = 0, bits - 1 do
    if math.floor(code / 2 ^ k) % 2 == 1 then
      local place = first + k
      local word = math.floor(place / 32) + 1
      words[word] = words[word] + 2 ^ (place % 32)
    end
  end
end

--- A row of codes as words, lowest bits first, codes straddling words where they must.
function M.row(codes, bits)
  local words = {}
  for i = 1, math.ceil(#codes * bits / 32) do words[i] = 0 end
  for i, code in ipairs(codes) do set_bits(words, (i - 1) * bits, bits, code) end
  for i, word in ipairs(words) do words[i] = as_signed(word) end
  return words
end

--- Rows of codes as a tensor int32 [rows, words].
function M.rows(codes, bits)
  local rows = {}
  for r, row in ipairs(codes) do rows[r] = M.row(row, bits) end
  return tensor.from(rows, "int64"):to("int32")
end

--- The tensors of a GPTQ weight.
---@param o table {codes: [out][in], zeros: [groups][out] as stored, scales: [groups][out], bits,
---  groups: [in]}
function M.gptq(name, o)
  return {
    [name .. ".qweight"] = M.rows(o.codes, o.bits):t():contiguous(),
    [name .. ".qzeros"] = M.rows(o.zeros, o.bits),
    [name .. ".scales"] = tensor.from(o.scales, "float16"),
    [name .. ".g_idx"] = tensor.from(o.groups, "int32"),
  }
end

--- scales[g][o] * (codes[o][i] - zeros[g][o]) with g = groups[i].
function M.decoded(codes, scales, zeros, groups)
  return M.matrix(#codes, #codes[1], function(o, i)
    local g = groups[i + 1] + 1
    return scales[g][o + 1] * (codes[o + 1][i + 1] - zeros[g][o + 1])
  end)
end

return M
