-- Gemma's rows: values, bits module by module, embeddings, and each way to be wrong.

local made = require "synthetic_model"
local rare = require "rare_specimens"
local tensor = require "host.tensor"
local test = require "test"

local function config(rest)
  return '{"quant_method":"gemma","modules_to_not_convert":[],' .. rest .. "}"
end

for _, bits in ipairs { 2, 4 } do
  test(("%d bits: low bits first, half of the range below zero"):format(bits), function()
    local per_byte, bytes = 8 / bits, nil
    local taken = rare.take("gemma", function(t)
      t.weight, bytes = rare.filled(8, 64 / per_byte, "uint8")
    end, config(('"num_bits":%d'):format(bits)))
    test.equal(made.facts(taken), {})
    local decoded = made.decoded(taken, rare.name):tolist()
    for r = 1, 8 do
      for c = 0, 63 do
        local byte = bytes[r][math.floor(c / per_byte) + 1]
        local code = math.floor(byte / 2 ^ (bits * (c % per_byte))) % 2 ^ bits - 2 ^ (bits - 1)
        test.equal(decoded[r][c + 1], code * (r + 1) / 32)
      end
    end
  end)
end

test("8 bits are stored as they are", function()
  local taken = rare.take("gemma", function(t)
    t.weight = rare.filled(8, 64, "int8", function(r, c) return rare.noise(r, c) - 125 end)
  end, config '"num_bits":8')
  test.equal(made.decoded(taken, rare.name):tolist()[2][3], (rare.noise(2, 3) - 125) * 3 / 32)
end)

test("bits of a module by the first pattern that matches anywhere in its name", function()
  local taken = rare.take("gemma", nil, config('"num_bits":8,"module_quant_configs":{'
    .. '"mlp\\\\.up":{"num_bits":4},"up_proj":{"num_bits":2}}'))
  test.equal(taken.requests.of(made.linear(rare.name, 8, 64)).bits, 4)
  test.equal(taken.requests.of(made.linear("other", 8, 64)).bits, 8)
end)

test("other bits than the config's are no agreement", function()
  local taken = rare.take("gemma", nil, config '"num_bits":2')
  local row = taken.census.by_name[rare.name]
  test.equal({ row.request.bits, row.scheme.bits }, { 2, 4 })
end)

test("a pattern that matches nothing is named", function()
  local taken = rare.take("gemma", nil,
    config '"num_bits":4,"module_quant_configs":{"vision":{"num_bits":8}}')
  test.equal(made.silent(taken), { "- vision: matches no module, wanted a module of "
    .. "module_quant_configs" })
end)

test("an embedding has tensors of its own names", function()
  local embedding = { name = "model.embed_tokens", class = "Embedding", kind = "embedding",
    shape = { 4, 8 }, parameters = { { name = "weight", shape = { 4, 8 } } } }
  local taken = made.take { modules = { embedding }, config = config
    '"num_bits":4,"quantize_embeddings":true', tensors = {
      ["model.embed_tokens.embedding_quantized"] = tensor.zeros({ 4, 4 }, "uint8") + 0x9A,
      ["model.embed_tokens.embedding_scale"] = tensor.zeros { 4, 1 } + 0.5 } }
  test.equal(made.facts(taken), {})
  local row = made.decoded(taken, "model.embed_tokens"):tolist()[1]
  test.equal({ row[1], row[2] }, { (0xA - 8) / 2, (0x9 - 8) / 2 })
  test.equal(taken.census.by_name["model.embed_tokens"].class, "QuantizedEmbedding")
end)

test("scales that are all zero", function()
  local taken = rare.take("gemma", function(t) t.weight_scale = tensor.zeros { 8, 1 } end)
  test.equal(made.value_problems(taken, rare.name),
    { "weight_scale: all of them 0, wanted scales > 0" })
end)
