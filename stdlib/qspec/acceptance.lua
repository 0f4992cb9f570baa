-- One `qspec accept`: runs the `generates` of a spec's models, sets what they say against what is
-- accepted of them, and records it.

local accepted_outputs = require "qspec.accepted_outputs"
local family = require "qspec.family"
local generation = require "qspec.generation"
local outcome = require "qspec.outcome"
local plan = require "qspec.plan"
local provenance = require "qspec.provenance"
local spec = require "qspec.spec"
local system = require "host.system"
local tolerance = require "qspec.tolerance"

local M = {}

local function contains(list, text)
  for _, candidate in ipairs(list) do
    if candidate == text then return true end
  end
  return false
end

local function compare(job, params, prompt)
  local subject = job.subject
  local accepted = accepted_outputs.of(subject, params, prompt)
  local result = generation.run(subject, prompt, params.max_new_tokens)
  local output = { subject = subject, model = job.name, prompt = prompt, text = result.text,
    max_new_tokens = params.max_new_tokens, is_accepted = contains(accepted, result.text) }
  if not output.is_accepted and #accepted > 0 then
    local divergence = generation.divergence(subject, result, accepted)
    local given = #result.output_ids - #result.steps
    output.divergence, output.new_token = divergence, divergence.position - given
    output.is_tie = divergence.margin and math.abs(divergence.margin)
      < tolerance.of_params(subject, params, "logits") or false
  end
  return output
end

-- The `generates` of a job.
local function declarations(job)
  local list = {}
  for _, declaration in ipairs(job.declarations) do
    if declaration.name == "generates" then list[#list + 1] = declaration end
  end
  return list
end

--- The jobs of a spec that have something to say. Raises an error of kind "spec" when none has, of
--- kind "usage" when a checkpoint is of another family.
---@param args table {spec, model?, only}
---@param device_name string
---@return qspec.Job[]
function M.jobs(args, device_name)
  local jobs = {}
  for _, job in ipairs(plan.make(spec.load(args.spec), { model = args.model, only = args.only,
      skip = {}, device = device_name })) do
    if #declarations(job) > 0 then
      if not job.absent then family.check(job.subject, job.families) end
      jobs[#jobs + 1] = job
    end
  end
  if #jobs > 0 then return jobs end
  error(outcome.error("spec", "there is no generates to accept", args.model
    and "with --model those outside of a model { ... } count" or nil, args.spec), 0)
end

--- What the model of a job says to each prompt of its `generates`.
---@param job qspec.Job whose model is on this machine
---@return table[] outputs {subject, model, prompt, max_new_tokens, text, is_accepted, divergence?,
---  new_token?, is_tie?}: divergence as generation.divergence gives it; new_token counts from the
---  prompt's end
function M.outputs(job)
  local outputs = {}
  for _, declaration in ipairs(declarations(job)) do
    for _, prompt in ipairs(declaration.params) do
      outputs[#outputs + 1] = compare(job, declaration.params, prompt)
    end
  end
  job.subject:release()
  return outputs
end

--- Records outputs beside the spec, with where they came from.
---@param spec_path string
---@param outputs table[] from M.outputs
---@param device_name string
function M.record(spec_path, outputs, device_name)
  local records, origins = {}, {}
  for i, output in ipairs(outputs) do
    local origin = origins[output.subject] or provenance.origin(output.subject)
    origins[output.subject] = origin
    records[i] = { model = output.model, device = accepted_outputs.device(device_name),
      prompt = output.prompt, max_new_tokens = output.max_new_tokens, text = output.text,
      provenance = { qspec = system.version().qspec, date = system.now(), device = device_name,
        revision = origin.revision, sha256 = origin.sha256 } }
  end
  accepted_outputs.record(spec_path, records)
end

return M
