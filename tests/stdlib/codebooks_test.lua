-- AQLM and VPTQ: values by plain loops, sizes from the config, and each way to be wrong.

local json = require "host.json"
local made = require "synthetic_model"
local rare = require "rare_specimens"
local tensor = require "host.tensor"
local test = require "test"

test("aqlm: a block is the sum of one vector of each codebook, times its scale", function()
  local codes, books, scales
  local taken = rare.take("aqlm", function(t)
    codes, books, scales = t.codes:tolist(), t.codebooks:tolist(), t.scales:tolist()
  end)
  local decoded = made.decoded(taken, rare.name):tolist()
  for r = 0, 7 do
    for c = 0, 63 do
      local group, sum = math.floor(r / 2) + 1, 0
      for book = 1, 2 do
        local code = codes[group][math.floor(c / 8) + 1][book] % 16
        sum = sum + books[book][code + 1][r % 2 + 1][c % 8 + 1]
      end
      test.equal(decoded[r + 1][c + 1], sum * scales[group][1][1][1])
    end
  end
end)

test("aqlm: sizes that are not the config's", function()
  local raw = json.decode(rare.all.aqlm.config, "config")
  raw.num_codebooks, raw.in_group_size = 1, 4
  local facts = table.concat(made.facts(rare.take("aqlm", nil, json.encode(raw))), "\n")
  test.ok(facts:find("num_codebooks 2, wanted 1, as the config says", 1, true))
  test.ok(facts:find("in_group_size 8, wanted 4, as the config says", 1, true))
end)

test("aqlm: an entry that names the parameter does not protect the module", function()
  local raw = json.decode(rare.all.aqlm.config, "config")
  raw.linear_weights_not_to_quantize = json.array { rare.name .. ".weight" }
  local taken = rare.take("aqlm", nil, json.encode(raw))
  test.ok(taken.requests.of(made.linear(rare.name, 8, 64)))
  test.equal(made.silent(taken), { ("%s linear_weights_not_to_quantize: '%s.weight', which matches "
    .. "no module's name, wanted '%s'"):format(rare.name, rare.name, rare.name) })
end)

test("aqlm: there are no default exclusions, an entry by name is one", function()
  local raw = json.decode(rare.all.aqlm.config, "config")
  test.ok(rare.take("aqlm").requests.of(made.linear("lm_head", 8, 64)))
  raw.linear_weights_not_to_quantize = json.array { "lm_head" }
  local taken = rare.take("aqlm", nil, json.encode(raw))
  local _, reason = taken.requests.of(made.linear("lm_head", 8, 64))
  test.equal(reason, "excluded by 'lm_head' (config)")
end)

test("aqlm: codebooks and scales that are no numbers or lost", function()
  local taken = rare.take("aqlm", function(t)
    t.codebooks, t.scales = t.codebooks * (0 / 0), tensor.zeros { 4, 1, 1, 1 }
  end)
  test.equal(#made.value_problems(taken, rare.name), 2)
end)

-- The field of `bits` bits at `first` in the words of a row.
local function field(words, first, bits)
  local value = 0
  for k = 0, bits - 1 do
    local word = words[math.floor((first + k) / 32) + 1] % 2 ^ 32
    value = value + 2 ^ k * (math.floor(word / 2 ^ ((first + k) % 32)) % 2)
  end
  return value
end

local function swapped()
  local order = {}
  for c = 0, 63 do order[c + 1] = c % 2 == 0 and c + 1 or c - 1 end
  return order
end

test("vptq: main and residual vectors along the rows, columns permuted and scaled", function()
  local words, main, rest
  local order = swapped()
  local taken = rare.take("vptq", function(t)
    words, main, rest = t.indices:tolist()[1], t["centroids.weight"]:tolist()[1],
      t["res_centroids.weight"]:tolist()[1]
    t.perm = tensor.from(order, "int16")
  end)
  test.equal(made.facts(taken), {})
  local decoded = made.decoded(taken, rare.name):tolist()
  for r = 0, 7 do
    for place = 0, 63 do
      local row = words[math.floor(r / 4) + 1]
      local index, residual = field(row, 6 * place, 4), field(row, 6 * place + 4, 2)
      local column = order[place + 1] + 1
      local value = main[4 * index + r % 4 + 1] + rest[4 * residual + r % 4 + 1]
      test.equal(decoded[r + 1][column], value * (1 + column) / 32 + (1 + column) / 32)
    end
  end
end)

test("vptq: a permutation that leaves out a column is a finding, and no weight", function()
  local taken = rare.take("vptq", function(t) t.perm = tensor.zeros({ 64 }, "int16") end)
  test.equal(made.value_problems(taken, rare.name),
    { "perm: columns twice or out of range, wanted each of 64 columns once" })
  test.raises("perm leaves out column 1", made.decoded, taken, rare.name)
end)

test("vptq: a layer without settings is not asked for, and not decoded", function()
  local taken = rare.take("vptq", nil, '{"quant_method":"vptq","config_for_layers":{"gone":{}},'
    .. '"shared_layer_config":{},"modules_to_not_convert":[]}')
  test.ok(made.facts(taken)[1]:find("^unrequested"))
  test.equal(made.silent(taken), { "- gone: settings of a layer, wanted a module of the model" })
  test.raises("no settings for this layer", made.decoded, taken, rare.name)
end)

test("vptq: settings shared by the second part of a name", function()
  local raw = json.decode(rare.all.vptq.config, "config")
  raw.shared_layer_config = { layers = raw.config_for_layers[rare.name] }
  raw.config_for_layers = {}
  test.equal(made.facts(rare.take("vptq", nil, json.encode(raw))), {})
end)

test("vptq: groups and outliers that are not all columns", function()
  local raw = json.decode(rare.all.vptq.config, "config")
  raw.config_for_layers[rare.name].group_size = 32
  local facts = table.concat(made.facts(rare.take("vptq", nil, json.encode(raw))), "\n")
  test.ok(facts:find("32 columns in groups and outliers, wanted 64", 1, true))
end)
