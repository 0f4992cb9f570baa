-- What is printed for a library's exclusion list, put into a config, excludes these modules and no
-- others, as the format itself reads it. tests/parity/exclusions_parity.py asks the libraries.

local exclusion_lists = require "qspec.exclusion_lists"
local json = require "host.json"
local registry = require "qspec.registry"
local Subject = require "qspec.subject"
local test = require "test"

local LAYERS = 12  -- so that a name of layer 1 begins like those of 10 and 11

local MODEL = { model_type = "qwen2", dtype = "float16", hidden_size = 64, intermediate_size = 128,
  num_hidden_layers = LAYERS, num_attention_heads = 4, num_key_value_heads = 2, vocab_size = 320,
  tie_word_embeddings = false }

local NAMES = { "model.layers.1.mlp.down_proj", "model.layers.1.self_attn.q_proj",
  "model.layers.10.mlp.down_proj", "model.layers.3.mlp.gate_proj" }

local CONFIGS = {
  bitsandbytes = { load_in_4bit = true, bnb_4bit_quant_type = "nf4" },
  gptq = { bits = 4, group_size = 32, sym = true, desc_act = false },
  awq = { bits = 4, group_size = 32, version = "gemm", zero_point = true },
  ["auto-round"] = { bits = 4, group_size = 32, sym = true,
    packing_format = "auto_round:auto_gptq" },
  compressed_tensors = { quant_method = "compressed-tensors", format = "pack-quantized",
    ignore = json.array { "lm_head" }, quantization_status = "compressed",
    config_groups = { group_0 = { targets = json.array { "Linear" }, weights = { num_bits = 4,
      type = "int", strategy = "group", group_size = 32, symmetric = true, dynamic = false } } } },
  fp8 = { activation_scheme = "dynamic", weight_block_size = json.array { 128, 128 } },
  torchao = { quant_type = { default = { _type = "Int8WeightOnlyConfig", _version = 2,
    _data = {} } } },
  eetq = { weights = "int8" },
  fbgemm_fp8 = {},
  hqq = { quant_config = { weight_quant_params = { nbits = 4, group_size = 32, axis = 1 } } },
  quark = { exclude = json.array { "lm_head" }, global_quant_config = { weight = {
    dtype = "int4", qscheme = "per_group", group_size = 32, symmetric = true, is_dynamic = false,
    ch_axis = -1, round_method = "half_even", scale_type = "float",
    observer_cls = "PerGroupMinMaxObserver" } },
    export = { weight_format = "real_quantized", pack_method = "order" } },
  modelopt = { quant_algo = "FP8", ignore = json.array { "lm_head" } },
}

local function subject_of(quantization)
  local config = { quantization_config = quantization }
  for key, value in pairs(MODEL) do config[key] = value end
  return Subject.new { name = "made", config = config }
end

local function with(config, more)
  local all = {}
  for key, value in pairs(config) do all[key] = value end
  for key, value in pairs(more) do all[key] = value end
  return all
end

-- The linear modules that a config asks to be quantized, as a set.
local function requested(subject)
  local set, count = {}, 0
  for _, module in ipairs(subject.modules) do
    if module.kind == "linear" and subject.requests.of(module) then
      set[module.name], count = true, count + 1
    end
  end
  return set, count
end

local function gone(before, after)
  local names = {}
  for name in pairs(before) do
    if not after[name] then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function sorted(names)
  local copy = { unpack(names) }
  table.sort(copy)
  return copy
end

for name, settings in pairs(CONFIGS) do
  test(name .. " leaves out what its list names, and nothing else", function()
    local format = registry("formats").get(name)
    local config = with({ quant_method = name }, settings)
    local genuine = subject_of(config)
    test.equal(genuine.format.name, name)
    local before, count = requested(genuine)
    test.equal(count, 7 * LAYERS, "linear modules in the layers are quantized, the head is not")
    local list = format.exclude(NAMES, genuine, true)
    local after = requested(subject_of(with(config, list.config)))
    local left_out = gone(before, after)
    if list.note then  -- names of its own, for all layers at once
      test.equal(#left_out, 3 * LAYERS)
    else
      test.equal(left_out, sorted(NAMES))
    end
    for _, wanted in ipairs(NAMES) do test.ok(not after[wanted], wanted) end
  end)
end

test("a list of one's own keeps the head, which it would else no longer protect", function()
  local subject = subject_of(nil)
  local list = registry("formats").get("bitsandbytes").exclude(NAMES, subject, false)
  test.equal(list.config.llm_int8_skip_modules[1], "lm_head")
end)

test("entries that are there already stay, and none is written twice", function()
  local subject = subject_of { quant_method = "bitsandbytes", load_in_4bit = true,
    llm_int8_skip_modules = json.array { "lm_head", NAMES[1], "mine" } }
  local list = registry("formats").get("bitsandbytes").exclude({ NAMES[1], NAMES[2] }, subject,
    true)
  test.equal({ unpack(list.config.llm_int8_skip_modules) },
    { "lm_head", NAMES[1], "mine", NAMES[2] })
end)

test("a name that begins another is closed, so that it takes no other with it", function()
  local modules = { { name = "a.gate", kind = "linear", parameters = {} },
    { name = "a.gate_proj", kind = "linear", parameters = {} } }
  local subject = { modules = modules, architecture = { output = "a.head" } }
  local list = exclusion_lists.field "skip"({ "a.gate" }, subject, false)
  local key = list.config.skip[#list.config.skip]
  local matches = require("qspec.exclusions").matcher(key)
  test.ok(matches("a.gate") and matches("a.gate.weight"), key)
  test.ok(not matches("a.gate_proj"), key)
end)

test("names of several layers are one regular expression of compressed-tensors", function()
  local subject = subject_of { quant_method = "bitsandbytes", load_in_4bit = true }
  local list = registry("formats").get("compressed_tensors").exclude(NAMES, subject, false)
  test.equal(list.text, [[ignore=["lm_head", "re:^model\\.layers\\.(1|10)\\.mlp\\.down_proj$", ]]
    .. '"model.layers.1.self_attn.q_proj", "model.layers.3.mlp.gate_proj"]')
end)

test("llama.cpp's options name its own tensors, head and embeddings by their own", function()
  local subject = subject_of(nil)
  local exclude = registry("formats").get("gguf").exclude
  test.equal(exclude({ "model.layers.3.mlp.down_proj", "lm_head", "model.embed_tokens" },
    subject).text, [[--tensor-type '^blk\.3\.ffn_down\.weight$=f16' --output-tensor-type f16 ]]
    .. "--token-embedding-type f16")
  test.equal(exclude({ "model.layers.3.mlp.unknown" }, subject), nil)
end)

test("libraries that are told the same share a line, the checkpoint's own comes first", function()
  local subject = subject_of { quant_method = "gptq", bits = 4, group_size = 32 }
  local lists = exclusion_lists.of({ NAMES[1] }, subject)
  test.equal(lists[1].formats, { "gptq" })
  local seen = {}
  for _, list in ipairs(lists) do
    test.ok(not seen[list.text], list.text)
    seen[list.text] = true
  end
end)
