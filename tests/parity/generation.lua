-- For generation_parity.py: answers the questions in questions.json of each folder named on the
-- command line, in answers.json beside it. A question is a generation of prompts, or the scores of
-- the next token.

local json = require "host.json"
local model = require "host.model"
local outcome = require "qspec.outcome"
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

local function answer(subject, question)
  if question.prompts then return generated(subject, question) end
  local scores = tensor.from(question.scores, "float32")
  return finite(model.processed_scores(scores, question.ids, question.prompt_length,
    question.options):tolist(MOST_SCORES))
end

for _, folder in ipairs { ... } do
  local subject = Subject.new { name = folder, path = folder }
  local answers = {}
  for i, question in ipairs(json.read(folder .. "/questions.json")) do
    local ok, result = pcall(answer, subject, question)
    if not ok then result = { error = outcome.from(result, "internal").message } end
    answers[i] = result
  end
  system.write_atomic(folder .. "/answers.json", json.encode(json.array(answers)))
end
