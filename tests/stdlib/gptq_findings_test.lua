-- What the loaders of GPTQ and AWQ drop or ignore in silence: one test for each.

local auto_round = require "qspec.formats.auto-round"
local awq = require "qspec.formats.awq"
local gptq = require "qspec.formats.gptq"
local json = require "host.json"
local made = require "synthetic_model"
local quantization_config = require "qspec.quantization_config"
local system = require "host.system"
local test = require "test"
local Folder = require "qspec.folder"

local NAMES = { "model.layers.0.self_attn.q_proj", "model.layers.0.mlp.up_proj", "lm_head" }

-- A subject that has what `silent` asks of one.
local function subject_of(format, text, o)
  o = o or {}
  local raw = json.decode(text, "config")
  local folder = test.tmpdir()
  for name, content in pairs(o.files or {}) do
    system.write_atomic(folder .. "/" .. name, content)
  end
  local subject = { quantization = raw, modules = {}, census = { orphans = o.orphans or {} },
    quantization_values = quantization_config.read(format, raw),
    architecture = { output = "lm_head" },
    config_file = { where = folder .. "/config.json" },
    quantization_source = { where = folder .. "/" .. (o.where or "config.json") } }
  for i, name in ipairs(NAMES) do subject.modules[i] = made.linear(name, 8, 8) end
  subject.folder = Folder.new(folder)
  function subject.has_weights() return true end
  function subject.has_file(_, name) return subject.folder:has(name) end
  return subject
end

local function silent(format, text, o)
  local lines = {}
  for i, finding in ipairs(format.silent(subject_of(format, text, o))) do
    lines[i] = ("%s %s: %s"):format(finding.module or "-", finding.key, finding.found)
  end
  return lines
end

local PLAIN = [[{"quant_method":"gptq","bits":4,"group_size":128,"sym":true}]]

test("a plain config has nothing to fall back on", function()
  test.equal(silent(gptq, PLAIN), {})
  test.equal(silent(awq, [[{"quant_method":"awq"}]]), {})
  test.equal(silent(auto_round, [[{"quant_method":"auto-round"}]]), {})
end)

test("quantize_config.json that says otherwise than config.json", function()
  test.equal(silent(gptq, PLAIN, { files = { ["quantize_config.json"] =
    [[{"bits":8,"group_size":128,"sym":true}]] } }),
    { "- quantization_config.bits: 4 in config.json" })
  test.equal(silent(gptq, PLAIN, { files = { ["quantize_config.json"] = "{" } }), {})
end)

test("a config that is only in quantize_config.json", function()
  test.equal(silent(gptq, PLAIN, { where = "quantize_config.json" }),
    { "- quantization_config: only in quantize_config.json" })
end)

test("rules of dynamic, alive, dead and misspelt", function()
  test.equal(silent(gptq, [[{"quant_method":"gptq","bits":4,"dynamic":{"-:.*mlp":{},
    "+:nothing":{"bits":8},"+:(":{"bits":2}}}]]), {
    "model.layers.0.mlp.up_proj dynamic['-:.*mlp']: a rule for 1 modules",
    "- dynamic['+:nothing']: matches no linear module",
    "- dynamic['+:(']: no regular expression" })
end)

test("a packed head is never converted", function()
  test.equal(silent(gptq, [[{"quant_method":"gptq","bits":4,"lm_head":true}]]),
    { "lm_head quantization_config.lm_head: true" })
  test.equal(silent(awq, [[{"quant_method":"awq","lm_head":true}]]),
    { "lm_head quantization_config.lm_head: true" })
end)

test("entries of modules_in_block_to_quantize and a block that no module has", function()
  test.equal(silent(gptq, [=[{"quant_method":"gptq","bits":4,
    "modules_in_block_to_quantize":[["self_attn.q_proj"],["mlp.gone"]],
    "block_name_to_quantize":"model.nowhere"}]=]), {
    "- modules_in_block_to_quantize: 'mlp.gone' ends no module's name",
    "- block_name_to_quantize: 'model.nowhere' begins no module's name" })
end)

test("experts that are packed one by one", function()
  local orphans = { { name = "model.layers.0.mlp.experts.0.w1.qweight" },
    { name = "model.layers.0.mlp.experts.0.w1.scales" } }
  test.equal(silent(gptq, PLAIN, { orphans = orphans }),
    { "- model.layers.0.mlp.experts.0.w1.qweight: 1 packed experts" })
end)

test("auto-round's old name, and settings of modules that are not there", function()
  test.equal(silent(auto_round, [[{"quant_method":"intel/auto-round",
    "extra_config":{"model.gone":{"bits":8}}}]]), {
    "- quantization_config.quant_method: intel/auto-round",
    "- extra_config: 'model.gone' matches no linear module" })
end)
