-- MXFP4 of gpt-oss, and the nvfp4 that no checkpoint can hold.

local footprint = require "qspec.footprint"
local made = require "synthetic_model"
local tensor = require "host.tensor"
local test = require "test"
local Subject = require "qspec.subject"

local NAME = "model.layers.0.mlp.experts.down_proj"
local CONFIG = [[{"quant_method":"mxfp4","modules_to_not_convert":["model.layers.*.self_attn"]}]]
local E2M1 = { [0] = 0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6 }
local EXPERTS, OUT, INS = 2, 3, 64

local function nibble(e, o, i) return (e * 7 + o * 5 + i * 3) % 16 end

local function packed()
  local experts = {}
  for e = 0, EXPERTS - 1 do
    experts[e + 1] = {}
    for o = 0, OUT - 1 do
      local bytes = {}
      for k = 0, INS / 2 - 1 do
        bytes[k + 1] = nibble(e, o, 2 * k) + 16 * nibble(e, o, 2 * k + 1)
      end
      experts[e + 1][o + 1] = bytes
    end
  end
  return tensor.from(experts, "uint8"):reshape(EXPERTS, OUT, INS / 32, 16)
end

local function exponents()
  return tensor.from({ { { 127, 128 }, { 120, 130 }, { 0, 200 } },
    { { 126, 127 }, { 125, 129 }, { 131, 132 } } }, "uint8")
end

local function take(tensors, config)
  local all = { [NAME .. "_blocks"] = packed(), [NAME .. "_scales"] = exponents(),
    [NAME .. "_bias"] = tensor.zeros({ EXPERTS, OUT }, "bfloat16") }
  for name, value in pairs(tensors or {}) do all[name] = value or nil end
  local bias = { name = NAME .. "_bias", class = "Parameter", kind = "parameter", bias = false,
    shape = { EXPERTS, OUT }, parameters = { { name = "weight", shape = { EXPERTS, OUT } } } }
  local experts = made.experts(NAME, EXPERTS, INS, OUT, "GptOssExperts")
  experts.transposed = true  -- as the architecture has it: [experts, in, out]
  return made.take { modules = { experts, bias }, tensors = all, config = config or CONFIG }
end

test("32 codes share a power of two, the first of a byte in its low bits", function()
  local taken = take()
  test.equal(made.facts(taken), {})
  local decoded, scales = made.decoded(taken, NAME):tolist(), exponents():tolist()
  for e = 0, EXPERTS - 1 do
    for o = 0, OUT - 1 do
      for i = 0, INS - 1 do
        local scale = scales[e + 1][o + 1][math.floor(i / 32) + 1]
        test.equal(decoded[e + 1][o + 1][i + 1], E2M1[nibble(e, o, i)] * 2 ^ (scale - 127))
      end
    end
  end
end)

test("experts are attributes in memory, their biases float32 parameters", function()
  local taken = take()
  local row = taken.census.by_name[NAME]
  test.equal({ row.class, row.footprint, next(row.parameters) }, { "Mxfp4GptOssExperts", 0 })
  test.equal(taken.census.by_name[NAME .. "_bias"].footprint, 4 * EXPERTS * OUT)
end)

test("blocks without scales, and scales of another count, are named", function()
  test.equal(made.facts(take { [NAME .. "_scales"] = false }),
    { "companion " .. NAME .. " _scales: missing, wanted U8 [2 x 3 x 2]" })
  test.equal(made.facts(take { [NAME .. "_scales"] = tensor.zeros({ 2, 3, 1 }, "uint8") }),
    { "companion " .. NAME .. " _scales: U8 [2 x 3 x 1], wanted U8 [2 x 3 x 2]" })
end)

test("an exponent of 255 is no number", function()
  local scales = exponents()
  local broken = scales:eq(200):where(tensor.from(255, "uint8"), scales)
  local taken = take { [NAME .. "_scales"] = broken }
  test.equal(made.value_problems(taken, NAME),
    { "_scales: 1 not finite, wanted every scale a finite number" })
end)

test("dense experts under the config fell back", function()
  local taken = take { [NAME .. "_scales"] = false, [NAME .. "_blocks"] = false,
    [NAME] = tensor.zeros({ EXPERTS, INS, OUT }, "bfloat16") }
  test.equal(made.facts(taken), { "fell_back " .. NAME
    .. " -: GptOssExperts bfloat16, wanted Mxfp4GptOssExperts mxfp4" })
end)

test("excluded experts that are packed are named", function()
  local taken = take(nil, [[{"quant_method":"mxfp4","modules_to_not_convert":["mlp.experts"]}]])
  test.equal(made.facts(taken), { "unrequested " .. NAME
    .. " -: Mxfp4GptOssExperts mxfp4, wanted GptOssExperts bfloat16" })
end)

-- The figures are those of transformers' own modules, made without weights; what its kernels keep
-- as attributes left out, and the biases of experts in float32.
test("gpt-oss-20b is weighed by its config alone", function()
  local subject = Subject.new { name = "gpt-oss-20b", config = { model_type = "gpt_oss",
    dtype = "bfloat16", num_hidden_layers = 24, num_local_experts = 32, hidden_size = 2880,
    intermediate_size = 2880, num_attention_heads = 64, num_key_value_heads = 8, head_dim = 64,
    vocab_size = 201088, tie_word_embeddings = false, quantization_config = {
      quant_method = "mxfp4", modules_to_not_convert = { "model.layers.*.self_attn",
        "model.layers.*.mlp.router", "model.embed_tokens", "lm_head" } } } }
  local requests = subject.requests
  local function bytes(...)
    return footprint.of_config(subject.architecture, subject.modules, "bfloat16", ...)
  end
  test.equal(bytes(function() end), 41829514624)
  test.equal(bytes(function(module) return (requests.of(module)) end, requests.dtype_of),
    3622190464)
end)

test("a checkpoint that names transformers' nvfp4 asks for what cannot be", function()
  local taken = made.take { modules = { made.linear("a", 2, 3) }, config =
    [[{"quant_method":"nvfp4"}]], tensors = { ["a.weight"] = tensor.zeros({ 2, 3 }) } }
  test.equal(taken.requested.problem, "quant_method nvfp4 in a checkpoint")
  test.equal(made.facts(taken), {})
end)
