-- The check of the small files beside the weights, one way to be wrong at a time.

local json = require "host.json"
local registry = require "qspec.registry"
local system = require "host.system"
local test = require "test"
local Context = require "qspec.context"
local Mutant = require "qspec.mutation.mutant"
local Subject = require "qspec.subject"

local MODELS = system.home() .. "/examples/models/"

-- What the check says of a copy that was edited in memory.
local function findings(edit, edit_baseline)
  local baseline = Subject.new { name = "dense", path = MODELS .. "bloom-tiny" }
  if edit_baseline then
    local other = Mutant.new(baseline, "baseline")
    edit_baseline(other)
    baseline = other:subject()
  end
  local mutant = Mutant.new(Subject.new { name = "nf4", path = MODELS .. "bloom-tiny-bnb-nf4",
    baseline = baseline }, "edited")
  edit(mutant)
  local ctx = Context.new { subject = mutant:subject(), params = {}, where = "" }
  registry("checks").get("sidecars").run(ctx)
  local lines = {}
  for i, one in ipairs(ctx.findings) do lines[i] = one.key .. ": " .. one.found end
  return lines
end

test("files as the quantizer wrote them raise nothing", function()
  test.equal(findings(function() end), {})
end)

test("another end token", function()
  test.equal(findings(function(mutant)
    mutant:edit_json("generation_config.json", function(config) config.eos_token_id = 7 end)
  end), { "eos_token_id: 7" })
end)

test("an end token that is no token", function()
  local lines = findings(function(mutant)
    mutant:edit_json("generation_config.json", function(config) config.eos_token_id = 99999 end)
  end)
  test.equal(lines, { "eos_token_id: 99999", "eos_token_id: 99999" })
end)

test("a file of the baseline that did not come along", function()
  test.equal(findings(function(mutant) mutant.folder:drop("tokenizer.json") end),
    { "tokenizer.json: missing" })
  test.equal(findings(function() end, function(baseline)
    baseline.folder:put("modeling_own.py", "")
  end), { "modeling_own.py: missing" })
end)

test("a setting of the baseline's generation_config that is gone", function()
  test.equal(findings(function() end, function(baseline)
    baseline:edit_json("generation_config.json", function(config) config.temperature = 0.6 end)
  end), { "temperature: none" })
end)

test("a merge of the tokenizer that is gone", function()
  local lines = findings(function(mutant)
    mutant:edit_json("tokenizer.json", function(tokenizer) table.remove(tokenizer.model.merges) end)
  end)
  test.equal(#lines, 1)
  test.ok(lines[1]:find("^model.merges: "))
end)

test("a template that is another", function()
  local lines = findings(function(mutant)
    mutant.folder:put("chat_template.jinja", "{{ messages }}")
  end)
  test.equal(#lines, 1)
  test.ok(lines[1]:find("^chat_template: "))
end)

test("keys that libraries fill in or write as empty raise nothing", function()
  test.equal(findings(function(mutant)
    mutant:edit_json("tokenizer.json", function(tokenizer)
      tokenizer.padding = json.null
      tokenizer.model.end_of_word_suffix = ""
    end)
    mutant:edit_json("tokenizer_config.json", function(config)
      config.padding_side = "left"
      config.add_prefix_space = json.null
    end)
  end), {})
end)
