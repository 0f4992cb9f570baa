-- For generation_parity.py: generation.lua QUESTIONS ANSWERS FOLDER answers questions about the
-- model in the folder. One is a generation of ids or of a text, the scores of the next token, or
-- whether ids end in a stop string.

local json = require "host.json"
local model = require "host.model"
local generation = require "qspec.generation"
local outcome = require "qspec.outcome"
local stop_strings = require "qspec.stop_strings"
local Subject = require "qspec.subject"
local system = require "host.system"
local tensor = require "host.tensor"

local MOST_SCORES = 1e6
local NEVER = -1e38  -- JSON has no infinity

local function finite(values)
  for i, value in ipairs(values) do
    if value == -math.huge then values[i] = NEVER end
  end
  return values
end

local function generated(subject, question)
  local rows = subject.runtime:generate(question.prompts, question.options)
  for i, row in ipairs(rows) do
    local logprobs = {}
    for k, step in ipairs(row.steps) do logprobs[k] = step.logprob end
    rows[i] = { ids = row.ids, logprobs = json.array(logprobs), finished = row.finished }
  end
  return rows
end

-- Whether each list of ids ends in a stop string.
local function stopped(subject, question)
  local matches = stop_strings.matcher(subject.tokenizer, question.stop_strings,
    subject:file("tokenizer.json"))
  local found = {}
  for i, ids in ipairs(question.sequences) do found[i] = matches(ids, #ids) end
  return found
end

local function answer(subject, question)
  if question.prompts then return generated(subject, question) end
  if question.sequences then return stopped(subject, question) end
  if question.text then
    subject.generation_config = question.options
    return generation.run(subject, question.text, question.options.max_new_tokens).output_ids
  end
  local scores = tensor.from(question.scores, "float32")
  return finite(model.processed_scores(scores, question.ids, question.prompt_length,
    question.options):tolist(MOST_SCORES))
end

local questions, answers_path, folder = ...
local subject = Subject.new { name = folder, path = folder }
local answers = {}
for i, question in ipairs(json.read(questions)) do
  local ok, result = pcall(answer, subject, question)
  if not ok then result = { error = outcome.from(result, "internal").message } end
  answers[i] = result
end
system.write_atomic(answers_path, json.encode(json.array(answers)))
