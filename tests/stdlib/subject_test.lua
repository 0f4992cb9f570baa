-- What a subject finds beside the weights.

local Folder = require "qspec.folder"
local json = require "host.json"
local Subject = require "qspec.subject"
local system = require "host.system"
local test = require "test"

local GPTQ = system.home() .. "/tests/data/qwen2-tiny-gptq4act"

-- The checkpoint with a config.json that says nothing of quantization.
local function without_config()
  local folder = Folder.new(GPTQ)
  local config = folder:json("config.json")
  config.quantization_config = nil
  folder:put("config.json", json.encode(config))
  return folder
end

test("a quantizer's own config is read where config.json has none", function()
  local subject = Subject.new { name = "gptq", path = GPTQ, folder = without_config() }
  test.equal(subject.format and subject.format.name, "gptq")
  test.equal(subject.quantization_source.where, GPTQ .. "/quantize_config.json")
end)

test("without either the checkpoint is not quantized to its config", function()
  local folder = without_config()
  folder:drop("quantize_config.json")
  local subject = Subject.new { name = "gptq", path = GPTQ, folder = folder }
  test.equal(subject.quantization, false)
end)
