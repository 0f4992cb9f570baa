local test = require "test"
local builder = require "qspec.builder"
local json = require "host.json"
local model_config = require "qspec.model_config"
local registry = require "qspec.registry"
local requests = require "qspec.requests"

local t5 = registry("architectures").get("t5")

local SMALL = { vocab_size = 50, d_model = 32, d_kv = 8, d_ff = 48, num_heads = 4, num_layers = 2,
  num_decoder_layers = 1 }

local function config(changes)
  local raw = {}
  for key, value in pairs(SMALL) do raw[key] = value end
  for key, value in pairs(changes or {}) do raw[key] = value end
  return model_config.read(t5, raw, "config.json")
end

local function by_name(list)
  local map = {}
  for _, module in ipairs(list) do map[module.name] = module end
  return map
end

local function modules(changes, has)
  return by_name(builder.modules(t5, config(changes), has))
end

-- Entries of a checkpoint that stores these names, each at a place of its own unless `at` says.
local function storing(names, at)
  local entries = {}
  for i, name in ipairs(names) do
    entries[name .. ".weight"] = { file = "weights", offset = at and at[i] or i }
  end
  return function(name) return entries[name] end
end

local function program(changes)
  return builder.program(t5, config(changes))
end

local function ops_of(list, name)
  local found = {}
  for _, op in ipairs(list) do
    if op.op == name then found[#found + 1] = op end
  end
  return found
end

test("the encoder runs apart and leaves keys and values for each layer of the decoder", function()
  local found = program { num_decoder_layers = 2 }
  test.equal(found.layers, 2)
  test.equal(found.encoder.kept,
    { "source_mask", "source_k.0", "source_v.0", "source_k.1", "source_v.1" })
  test.equal(#ops_of(found.encoder.ops, "cache"), 0)
  test.equal(#ops_of(found.ops, "cache"), 2)
end)

test("a decoder without a number of layers of its own has as many as the encoder", function()
  test.equal(program({ num_decoder_layers = json.null }).layers, 2)
end)

test("only the first layer of each stack has a table of distances", function()
  local found = program { num_layers = 3 }
  local encoder, decoder = ops_of(found.encoder.ops, "distance_bias"), ops_of(found.ops,
    "distance_bias")
  test.equal({ #encoder, #decoder }, { 1, 1 })
  test.equal({ encoder[1].both_ways, decoder[1].both_ways }, { true, false })
end)

test("each layer of UMT5 has a table of distances", function()
  local umt5 = registry("architectures").get("umt5")
  local found = builder.program(umt5, model_config.read(umt5, SMALL, "config.json"))
  test.equal(#ops_of(found.encoder.ops, "distance_bias"), 2)
end)

test("embeddings and head are one whatever the config says", function()
  for _, tie in ipairs { true, false } do
    local found = modules { tie_word_embeddings = tie }
    for _, name in ipairs { "encoder.embed_tokens", "decoder.embed_tokens", "lm_head" } do
      test.equal(found[name].tied_to, "shared", name)
    end
  end
end)

test("a head that the file stores beside the embeddings is not tied", function()
  local found = modules({}, storing { "shared", "lm_head" })
  test.equal(found.lm_head.tied_to, nil)
  test.equal(found["encoder.embed_tokens"].tied_to, "shared")
end)

test("a head that is the embeddings under another name is tied", function()
  test.equal(modules({}, storing({ "shared", "lm_head" }, { 7, 7 })).lm_head.tied_to, "shared")
end)

test("embeddings that are stored under one of the other names are those of all", function()
  local found = modules({}, storing { "decoder.embed_tokens" })
  test.equal(found.shared.tied_to, "decoder.embed_tokens")
  test.equal(found.lm_head.tied_to, "decoder.embed_tokens")
  test.equal(found["decoder.embed_tokens"].tied_to, nil)
end)

local function head_scale(changes)
  return #ops_of(program(changes).ops, "scale")
end

test("the output is scaled unless the config unties the head or says so", function()
  test.equal(head_scale {}, 1)
  test.equal(head_scale { tie_word_embeddings = false }, 0)
  test.equal(head_scale { tie_word_embeddings = true, scale_decoder_outputs = false }, 0)
end)

test("gated-gelu is the tanh form, and another gate is what it says", function()
  local function activation(projection)
    return ops_of(program({ feed_forward_proj = projection }).ops, "activation")[1].kind
  end
  test.equal(activation "gated-gelu", "gelu_new")
  test.equal(activation "gated-silu", "silu")
  test.equal(activation "relu", "relu")
end)

test("an MLP of three words, a gate that is none and an unknown activation are refused", function()
  for projection, message in pairs {
    ["gated-gelu-new"] = "feed_forward_proj = 'gated%-gelu%-new', wanted NAME or gated%-NAME",
    ["fused-relu"] = "feed_forward_proj = 'fused%-relu', wanted NAME or gated%-NAME",
    ["gated-swoosh"] = "activation 'swoosh'" } do
    test.raises(message, function() program { feed_forward_proj = projection } end)
  end
end)

test("`wo` is never asked to be converted, and the reason says which key keeps it", function()
  local bitsandbytes = registry("formats").get("bitsandbytes")
  local list = builder.modules(t5, config())
  local asked = requests.by_exclusion({ architecture = t5, modules = list, format = bitsandbytes },
    nil, function() return { type = "nf4" } end)
  local found = by_name(list)
  local request, reason = asked.of(found["encoder.block.0.layer.1.DenseReluDense.wo"])
  test.equal({ request ~= nil, reason }, { false, "excluded by 'wo' (fp32)" })
  test.ok(asked.of(found["encoder.block.0.layer.1.DenseReluDense.wi"]))
  test.ok(asked.of(found["decoder.block.0.layer.1.EncDecAttention.o"]))
end)

test("an option that the builder does not know is refused with the nearest name", function()
  local broken = setmetatable({ encoder_decoder = function(c)
    local described = t5.encoder_decoder(c)
    described.atention = described.attention
    return described
  end }, { __index = t5 })
  test.raises("atention", function() builder.modules(broken, config()) end)
end)

test("a billion layers in two stacks are refused before anything is listed", function()
  test.raises("layers, more than 4096", function() modules { num_layers = 5e8 } end)
end)

test("an architecture that describes a model twice, or not at all, is refused", function()
  local source = { roots = { "r" }, kind = function() return "file" end,
    list = function() return { "t5.lua" } end }
  local function load_with(decoder)
    source.load = function()
      return setmetatable({ decoder = decoder, encoder_decoder = decoder and t5.encoder_decoder },
        { __index = function(_, key)
          return key ~= "decoder" and key ~= "encoder_decoder" and t5[key] or nil
        end })
    end
    return registry("architectures", source).get("t5")
  end
  test.raises("decoder and encoder_decoder of the fields", function() load_with(function() end) end)
  test.raises("none of the fields", function() load_with(nil) end)
end)
