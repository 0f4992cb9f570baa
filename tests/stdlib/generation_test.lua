local generation = require "qspec.generation"
local json = require "host.json"
local Subject = require "qspec.subject"
local stop_strings = require "qspec.stop_strings"
local system = require "host.system"
local test = require "test"

local TINY = system.home() .. "/examples/models/bloom-tiny"

local function subject_with(config)
  local subject = Subject.new { name = "tiny", path = TINY }
  subject.generation_config = config
  return subject
end

test("several prompts give in one batch what transformers gave of each", function()
  local subject, prompts, wanted = Subject.new { name = "tiny", path = TINY }, {}, {}
  for i, one in ipairs(json.read(TINY .. "/reference.json").generations) do
    prompts[i], wanted[i] = one.prompt, one.text
  end
  for i, result in ipairs(generation.run_all(subject, prompts, 10)) do
    test.equal(result.text, wanted[i], prompts[i])
  end
end)

test("a generation ends with the token that completes a stop string", function()
  local result = generation.run(subject_with { stop_strings = { "aris." } },
    "The capital of France is", 10)
  test.equal(result.text, "The capital of France is Paris.")
  test.equal(result.finished, "stop")
  test.equal(#result.output_ids, #result.input_ids + #result.steps)
end)

test("a stop string of the prompt alone ends nothing", function()
  local result = generation.run(subject_with { stop_strings = { "France" } },
    "The capital of France is", 3)
  test.equal(#result.steps, 3)
  test.equal(result.finished, "length")
end)

test("a stop string may begin before the last token and end within it", function()
  local tokenizer = Subject.new({ name = "tiny", path = TINY }).tokenizer
  local ids = tokenizer:encode("The capital of France", false)
  local function ends(text)
    return stop_strings.matcher(tokenizer, { text }, TINY .. "/tokenizer.json")(ids, #ids)
  end
  test.ok(ends("of Fra"), "overhangs the last token")
  test.ok(ends("of France"), "ends with it")
  test.ok(not ends("capital"), "lies before it")
  test.ok(not ends("France is"), "is not complete")
end)

test("a seed draws the same text again", function()
  local subject = Subject.new { name = "tiny", path = TINY }
  local hot = { seed = 7, temperature = 3, top_k = 0 }
  local first = generation.run(subject, "Hello my name is", 10, hot)
  test.equal(generation.run(subject, "Hello my name is", 10, hot).output_ids, first.output_ids)
  hot.seed = 8
  test.ok(generation.run(subject, "Hello my name is", 10, hot).text ~= first.text, "another seed")
end)
