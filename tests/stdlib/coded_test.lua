-- Quantized weights in the one form of tensor.coded, made here element by element.

local bit = require "bit"
local tensor = require "host.tensor"
local test = require "test"

local AWQ_ORDER = { 0, 2, 4, 6, 1, 3, 5, 7 }

-- A number that looks random and is the same every time.
local function noise(a, b)
  return (a * 7919 + b * 104729 + a * b * 31) % 1009
end

local function matrix(rows, columns, f)
  local result = {}
  for r = 1, rows do
    result[r] = {}
    for c = 1, columns do result[r][c] = f(r - 1, c - 1) end
  end
  return result
end

local function integers(first, last)
  local list = {}
  for i = first, last do list[#list + 1] = i end
  return list
end

local function put(word, field, bits, code)
  return bit.bor(word, bit.lshift(code, field * bits))
end

-- Codes of `bits` bits at [o][i], scales at [g][o], zeros at [g][o]: the weight that they mean.
local function decoded(codes, scales, zeros, group_of)
  return matrix(#codes, #codes[1], function(o, i)
    local g = group_of(i) + 1
    return (codes[o + 1][i + 1] - zeros[g][o + 1]) * scales[g][o + 1]
  end)
end

local function int4_parts(outs, ins, group_of, groups)
  local codes = matrix(outs, ins, function(o, i) return noise(o, i) % 16 end)
  local scales = matrix(groups, outs, function(g, o) return (1 + noise(g, o) % 7) / 8 end)
  local zeros = matrix(groups, outs, function(g, o) return noise(o, g + 3) % 16 end)
  return codes, scales, zeros, decoded(codes, scales, zeros, group_of)
end

local function gptq_words(codes)
  return tensor.from(matrix(#codes[1] / 8, #codes, function(r, o)
    local word = 0
    for j = 0, 7 do word = put(word, j, 4, codes[o + 1][8 * r + j + 1]) end
    return word
  end), "int64"):to("int32")
end

local function transposed(rows)
  return tensor.from(rows):t():contiguous()
end

test("a GPTQ weight is its transposed words, also with columns in an order of their own", function()
  local outs, ins, groups = 6, 32, 4
  for _, group_of in ipairs {
    function(i) return math.floor(i / 8) end,
    function(i) return noise(i, 5) % groups end,
  } do
    local codes, scales, zeros, wanted = int4_parts(outs, ins, group_of, groups)
    local of_column = {}
    for i = 0, ins - 1 do of_column[i + 1] = group_of(i) end
    local weight = tensor.coded {
      codes = tensor.transpose_words(gptq_words(codes)), bits = 4, values = integers(0, 15),
      scales = transposed(scales), zeros = transposed(zeros),
      groups = tensor.from(of_column, "int32"), block = { 1, 8 }, shape = { outs, ins },
    }
    test.equal(weight:decode():tolist(), wanted)
    test.equal(weight:decode("bfloat16"):equal(tensor.from(wanted):to("bfloat16")), true)
  end
end)

test("an AWQ weight is its transposed fields in their order", function()
  local outs, ins, groups = 16, 12, 3
  local function group_of(i) return math.floor(i / 4) end
  local codes, scales, zeros, wanted = int4_parts(outs, ins, group_of, groups)
  local function words(rows, of)
    return tensor.from(matrix(rows, outs / 8, function(i, c)
      local word = 0
      for k = 0, 7 do word = put(word, k, 4, of(8 * c + AWQ_ORDER[k + 1], i)) end
      return word
    end), "int64"):to("int32")
  end
  local qweight = words(ins, function(o, i) return codes[o + 1][i + 1] end)
  local qzeros = words(groups, function(o, g) return zeros[g + 1][o + 1] end)
  local weight = tensor.coded {
    codes = tensor.transpose_fields(qweight, 4, AWQ_ORDER), bits = 4, values = integers(0, 15),
    scales = transposed(scales):to("float16"),
    zeros = tensor.unpack_fields(qzeros, 4, AWQ_ORDER):t(),
    block = { 1, 4 }, shape = { outs, ins },
  }
  test.equal(weight:decode():tolist(), wanted)
end)

test("an fp8 weight in blocks is scaled block by block, also at ragged edges", function()
  local weight8 = tensor.from(matrix(5, 7, function(r, c) return noise(r, c) % 33 - 16 end))
    :to("float8_e4m3fn")
  local scales = { { 0.5, 2 }, { 4, 0.25 } }
  local weight = tensor.coded {
    codes = weight8, bits = 8,
    values = tensor.arange(0, 255, "uint8"):view("float8_e4m3fn"):to("float32"),
    scales = tensor.from(scales), block = { 3, 4 }, shape = { 5, 7 },
  }
  local plain = weight8:to("float32"):tolist()
  test.equal(weight:decode():tolist(), matrix(5, 7, function(r, c)
    return plain[r + 1][c + 1] * scales[math.floor(r / 3) + 1][math.floor(c / 4) + 1]
  end))
end)

test("three bits lie across the borders of words", function()
  local codes = tensor.from(matrix(3, 64, function(r, c) return noise(r, c) % 8 end), "uint8")
  local stream = tensor.pack_stream(codes, 3)
  test.equal(stream:shape(), { 3, 24 })
  test.ok(tensor.unpack_stream(stream:view("int32"), 3, 64):equal(codes))
  local weight = tensor.coded { codes = stream, bits = 3, values = integers(-4, 3),
    scales = tensor.from { 1, 2, 4 }, block = { 1, 64 }, shape = { 3, 64 } }
  local scale = tensor.from { { 1 }, { 2 }, { 4 } }
  test.ok(weight:decode():equal((codes:to("float32") - 4) * scale))
  test.equal(weight:statistics().lowest_code, -4)
end)

test("exponent bytes are powers of two, the least of them subnormal", function()
  local bytes = tensor.from({ 0, 1, 127, 130, 254, 255 }, "uint8")
  for _, exponents in ipairs { bytes, bytes:view("float8_e8m0fnu") } do
    local scales = tensor.exponents(exponents):tolist()
    test.equal({ scales[1], scales[2], scales[3], scales[4], scales[5] },
      { 2 ^ -127, 2 ^ -126, 1, 8, 2 ^ 127 })
    test.ok(scales[6] ~= scales[6], "255 is no number")
  end
end)

test("the dtypes of 8 bits become the floats that they stand for", function()
  local bytes = tensor.arange(0, 255, "uint8")
  local function value(bits_of_exponent, bias, code)
    local bits_of_mantissa = 7 - bits_of_exponent
    local mantissa = code % 2 ^ bits_of_mantissa
    local exponent = math.floor(code % 128 / 2 ^ bits_of_mantissa)
    local sign = code < 128 and 1 or -1
    if exponent == 0 then return sign * mantissa * 2 ^ (1 - bias - bits_of_mantissa) end
    return sign * (1 + mantissa / 2 ^ bits_of_mantissa) * 2 ^ (exponent - bias)
  end
  local e4m3 = bytes:view("float8_e4m3fn"):to("float32"):tolist()
  local e5m2 = bytes:view("float8_e5m2"):to("float32"):tolist()
  local e8m0 = bytes:view("float8_e8m0fnu"):to("float32"):tolist()
  for code = 0, 255 do
    if code % 128 ~= 127 then test.equal(e4m3[code + 1], value(4, 7, code), "e4m3 " .. code) end
    if code % 128 < 124 then test.equal(e5m2[code + 1], value(5, 15, code), "e5m2 " .. code) end
    if code ~= 255 then test.equal(e8m0[code + 1], 2 ^ (code - 127), "e8m0 " .. code) end
  end
  test.ok(e4m3[256] ~= e4m3[256] and e8m0[256] ~= e8m0[256], "the last is no number")
  test.equal(e5m2[0x7c + 1], math.huge)
end)

test("a misspelt field is refused with the nearest name", function()
  local refused = test.raises("no field 'zero'", tensor.coded, {
    codes = tensor.zeros({ 1, 1 }, "uint8"), bits = 8, values = integers(0, 255),
    scales = tensor.from { 1 }, zero = tensor.from { 1 }, block = { 1, 1 }, shape = { 1, 1 } })
  test.equal(refused.hint, "did you mean 'zeros'?")
end)
