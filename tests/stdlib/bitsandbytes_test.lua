-- bitsandbytes: block and storage sizes, weights of Conv1D, and where it falls back in silence.

local json = require "host.json"
local made = require "synthetic_model"
local tensor = require "host.tensor"
local test = require "test"
local codebooks = require "qspec.layouts.bnb_codebooks"

local NAME = "transformer.h.0.attn.c_attn"
local FOUR = '{"quant_method":"bitsandbytes","load_in_4bit":true,"bnb_4bit_quant_type":"nf4"'
local EIGHT = '{"quant_method":"bitsandbytes","load_in_8bit":true,"llm_int8_skip_modules":[]}'

local function text(value)
  return tensor.from({ value:byte(1, -1) }, "uint8")
end

local function codes(count)
  local list = {}
  for k = 1, count do list[k] = (k * 37 + k * k * 11) % 251 end
  return list
end

-- The tensors of a 4-bit weight [out, in] in blocks of `block`.
local function four_bits(out, ins, block, storage)
  local bytes, absmax = codes(math.ceil(out * ins / 2)), {}
  for b = 1, math.ceil(out * ins / block) do absmax[b] = b / 16 end
  local packed = tensor.from(bytes, "uint8")
  if storage then packed = packed:view(storage) end
  return { weight = packed:reshape(-1, 1), ["weight.absmax"] = tensor.from(absmax),
    ["weight.quant_map"] = tensor.from(codebooks.nf4.values, "float32"),
    ["weight.quant_state.bitsandbytes__nf4"] = text(json.encode { quant_type = "nf4",
      blocksize = block, dtype = "float16", shape = json.array { out, ins } }) }, bytes, absmax
end

local function module(out, ins, class)
  local is_transposed = class == "Conv1D"
  local shape = is_transposed and { ins, out } or { out, ins }
  return { name = NAME, class = class or "Linear", kind = "linear", shape = shape,
    transposed = is_transposed, bias = false, parameters = { { name = "weight", shape = shape } } }
end

local function take(tensors, asked, config)
  local full = {}
  for suffix, value in pairs(tensors) do full[NAME .. "." .. suffix] = value end
  return made.take { modules = { asked }, tensors = full, config = config, dtype = "float16" }
end

local function expect_four(out, ins, block, o)
  o = o or {}
  local tensors, bytes, absmax = four_bits(out, ins, block, o.storage)
  local taken = take(tensors, module(out, ins, o.class), FOUR .. (o.config or "")
    .. ',"llm_int8_skip_modules":[]}')
  test.equal(made.facts(taken), {})
  local decoded = made.decoded(taken, NAME):tolist()
  local values = tensor.from(codebooks.nf4.values, "float32"):tolist()
  for flat = 0, out * ins - 1 do
    local byte = bytes[math.floor(flat / 2) + 1]
    local code = flat % 2 == 0 and math.floor(byte / 16) or byte % 16
    local wanted = values[code + 1] * absmax[math.floor(flat / block) + 1]
    test.near(decoded[math.floor(flat / ins) + 1][flat % ins + 1], wanted, 1e-6)
  end
  return taken.census.by_name[NAME]
end

for _, block in ipairs { 32, 64, 128, 256, 512, 1024, 2048, 4096 } do
  test(("blocks of %d, the last of them cut off, straddle rows"):format(block), function()
    expect_four(7, 150, block)
  end)
end

for storage, stored in pairs { int8 = "int8", float16 = "float16", bfloat16 = "bfloat16",
    float32 = "float32", float64 = "float64" } do
  test("the same bytes stored as " .. storage, function()
    local row = expect_four(8, 64, 64, { storage = stored,
      config = (',"bnb_4bit_quant_storage":"%s"'):format(storage) })
    test.equal(row.footprint, 8 * 64 / 2)
  end)
end

test("a Conv1D is stored as the transpose of its parameter", function()
  local row = expect_four(6, 32, 32, { class = "Conv1D" })
  test.equal({ row.class, row.module.shape }, { "Linear4bit", { 32, 6 } })
end)

test("a state with the shape of the parameter of a Conv1D is that of another weight", function()
  local tensors = four_bits(32, 6, 32)
  local facts = made.facts(take(tensors, module(6, 32, "Conv1D"), FOUR
    .. ',"llm_int8_skip_modules":[]}'))
  test.ok(facts[1]:find("shape 32 x 6, wanted 6 x 32", 1, true))
end)

test("int8 of a Conv1D: one absmax a row of the transpose", function()
  local rows, scales = {}, {}
  for r = 1, 4 do
    rows[r], scales[r] = {}, r * 127 / 64
    for c = 1, 6 do rows[r][c] = (r * 31 + c * 17) % 255 - 127 end
  end
  local taken = take({ weight = tensor.from(rows, "int8"), SCB = tensor.from(scales),
    weight_format = tensor.from({ 0 }, "uint8"):reshape({}) }, module(4, 6, "Conv1D"), EIGHT)
  test.equal(made.facts(taken), {})
  local decoded = made.decoded(taken, NAME):tolist()
  for r = 1, 4 do
    for c = 1, 6 do test.near(decoded[r][c], rows[r][c] * r / 64, 1e-6) end
  end
end)

-- Findings of the check `fallbacks`, as texts.
local function fallbacks(taken)
  local findings = {}
  local subject = { format = taken.format, census = taken.census, requested = taken.requested,
    quantization_values = taken.quantization_values }
  require("qspec.checks.fallbacks").run { subject = subject,
    finding = function(_, finding)
      findings[#findings + 1] = ("%s %s: %s"):format(finding.module, finding.key, finding.found)
    end }
  return findings
end

local function dense(names)
  local modules, tensors = {}, {}
  for i, name in ipairs(names) do
    modules[i] = made.linear(name, 2, 64)
    tensors[name .. ".weight"] = tensor.zeros({ 2, 64 }, "float16")
  end
  return modules, tensors
end

test("an entry that ends in a number protects more than its own layer", function()
  local modules, tensors = dense { "h.1.up", "h.10.up", "h.11.up" }
  local taken = made.take { modules = modules, tensors = tensors, dtype = "float16",
    config = FOUR .. ',"llm_int8_skip_modules":["h.1"]}' }
  test.equal(fallbacks(taken), { "h.10.up h.1: left dense by 'h.1'",
    "h.11.up h.1: left dense by 'h.1'" })
  taken = made.take { modules = modules, tensors = tensors, dtype = "float16",
    config = FOUR .. ',"llm_int8_skip_modules":["h.1.","h.10.","h.11."]}' }
  test.equal(fallbacks(taken), {})
end)

test("experts in one tensor stay dense", function()
  local taken = made.take { modules = { made.experts("mlp.experts.gate_up_proj", 2, 4, 64) },
    tensors = { ["mlp.experts.gate_up_proj"] = tensor.zeros({ 2, 4, 64 }, "float16") },
    dtype = "float16", config = FOUR .. "}" }
  test.equal(fallbacks(taken), { "mlp.experts.gate_up_proj experts: dense float16" })
end)

test("a head whose bias is the last parameter is converted", function()
  local head = made.linear("classifier", 2, 64, true)
  local tensors = { ["classifier.bias"] = tensor.zeros({ 2 }, "float16") }
  for suffix, value in pairs(four_bits(2, 64, 64)) do tensors["classifier." .. suffix] = value end
  local taken = made.take { modules = { head }, tensors = tensors, dtype = "float16",
    config = FOUR .. "}" }
  test.equal(fallbacks(taken), { "classifier classifier.bias: converted" })
end)

test("a weight that lost all its companions is not a dense weight", function()
  local taken = take({ weight = tensor.zeros({ 64, 1 }, "uint8") }, module(2, 64),
    FOUR .. ',"llm_int8_skip_modules":[]}')
  local facts = table.concat(made.facts(taken), "\n")
  test.ok(facts:find("weight.absmax: missing", 1, true) and facts:find("quant_state", 1, true))
end)

test("a 4-bit weight is decoded to the dtype of its state before it is cast", function()
  local modules, tensors = { made.linear("up", 2, 64) }, {}
  for suffix, value in pairs(four_bits(2, 64, 64)) do tensors["up." .. suffix] = value end
  local taken = made.take { modules = modules, tensors = tensors, dtype = "float16",
    config = FOUR .. ',"llm_int8_skip_modules":[]}' }
  local row = taken.census.by_name.up
  local bound = row.layout.linear(row.weight, { bnb_4bit_compute_dtype = "bfloat16" })
  test.equal({ bound.decode_dtype, bound.compute_dtype }, { row.scheme.dtype, "bfloat16" })
end)
