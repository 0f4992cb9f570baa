-- From a spec and the command line to an ordered list of work: models, and the checks of each.

local accepted_outputs = require "qspec.accepted_outputs"
local glob = require "qspec.glob"
local hub = require "qspec.hub"
local json = require "host.json"
local nearest = require "qspec.nearest"
local outcome = require "qspec.outcome"
local system = require "host.system"
local tier = require "qspec.tier"
local Subject = require "qspec.subject"

local M = {}

---@class qspec.Job
---@field name string
---@field subject table|nil nil when nothing of the model is on this machine
---@field absent table|nil {reason, enable} why there are no weights
---@field declarations table[] in order of tier

local function refuse_example(reference)
  local folder = system.home() .. "/examples/models"
  local names = system.list(folder) or {}
  local close = nearest(reference.example, names)
  error(outcome.error("spec", ("there is no example model '%s'"):format(reference.example),
    close and ("did you mean '%s'?"):format(close) or "those that ship: "
    .. table.concat(names, ", "), reference.where), 0)
end

local function resolve(reference)
  if reference.kind == "hub" then
    local path, reason, enable = hub.find(reference.repository, reference.revision,
      reference.file)
    if path then return path end
    return nil, { reason = reason, enable = enable }
  end
  if system.kind(reference.path) then return reference.path end
  if reference.example then refuse_example(reference) end
  return nil, { reason = "there is no " .. reference.path, enable = "--model PATH" }
end

local function baseline_at(path, options)
  return Subject.new { name = path:match("[^/]+/*$"), path = path, device = options.device,
    is_baseline = true }
end

local function baseline_of(model, options)
  if options.baseline then
    return Subject.new { name = options.baseline, path = options.baseline,
      device = options.device, is_baseline = true }
  elseif model.baseline then
    local path = resolve(model.baseline)
    return path and baseline_at(path, options)
  end
end

-- Quantizing on load reads every weight. Below that tier only the config is looked at.
local function reads_too_much(model, options)
  return model.quantize and tier.rank(options.tier or "generate") < tier.rank("weights")
end

-- A dense checkpoint that is quantized on load is its own baseline unless the spec names another.
local function subject_of(model, path, options)
  local baseline = baseline_of(model, options)
  if not baseline and model.quantize and path then
    baseline = baseline_at(path, options)
  end
  return Subject.new { name = model.name, path = path, baseline = baseline,
    quantize = model.quantize, config = not path and model.config or nil,
    config_only = reads_too_much(model, options), device = options.device }
end

-- What the model says of a check replaces what the family says of it.
local function declarations_for(spec, model)
  local list, own = {}, {}
  for _, declaration in ipairs(model and model.declarations or {}) do
    own[declaration.name] = true
  end
  for _, declaration in ipairs(spec.declarations) do
    if declaration.check.custom or not own[declaration.name] then
      list[#list + 1] = declaration
    end
  end
  for _, declaration in ipairs(model and model.declarations or {}) do
    list[#list + 1] = declaration
  end
  return list
end

-- Cheapest first; within a tier by name of the check, the spec's own checks last.
local function by_tier(list)
  local order = {}
  for i, declaration in ipairs(list) do order[declaration] = i end
  local function key(declaration)
    return tier.rank(declaration.check.needs), declaration.check.custom and 1 or 0
  end
  table.sort(list, function(a, b)
    local rank_a, custom_a = key(a)
    local rank_b, custom_b = key(b)
    if rank_a ~= rank_b then return rank_a < rank_b end
    if custom_a ~= custom_b then return custom_a < custom_b end
    if a.name ~= b.name and custom_a == 0 then return a.name < b.name end
    return order[a] < order[b]
  end)
  return list
end

local function json_config(config)
  local function convert(value)
    if type(value) ~= "table" then return value end
    local copy = {}
    for key, inner in pairs(value) do copy[key] = convert(inner) end
    return #copy > 0 and json.array(copy) or copy
  end
  return convert(config)
end

local function declared_job(spec, model, options)
  local path, absent
  if model.checkpoint then path, absent = resolve(model.checkpoint) end
  if not model.checkpoint then
    absent = { reason = "the spec gives only the config of this model", enable = "--model PATH" }
  end
  if path and reads_too_much(model, options) then
    absent = { reason = "quantizing on load reads every weight", enable = "--tier weights" }
  end
  local known = { name = model.name, baseline = model.baseline, quantize = model.quantize,
    config = model.config and json_config(model.config) }
  local subject = (path or model.config) and subject_of(known, path, options) or nil
  return { name = model.name, tags = model.tags, subject = subject, absent = absent,
    declarations = by_tier(declarations_for(spec, model)) }
end

-- Baselines that the spec knows of, for a model that was given without one.
local function known_baselines(spec)
  local paths, seen = {}, {}
  for _, model in ipairs(spec.models) do
    if model.baseline then
      local path = resolve(model.baseline)
      if path and not seen[path] then
        seen[path] = true
        paths[#paths + 1] = path
      end
    end
  end
  return paths
end

local function given_job(spec, options)
  local path = options.model
  local name = path:gsub("/+$", ""):match("[^/]+$") or path
  local subject = subject_of({ name = name }, path, options)
  if not options.baseline then subject.known_baselines = known_baselines(spec) end
  return { name = name, tags = {}, subject = subject, families = spec.families,
    declarations = by_tier(declarations_for(spec)) }
end

local function matches_any(patterns, declaration, job)
  for _, pattern in ipairs(patterns) do
    local matches = glob.compile(pattern)
    if matches(declaration.name) or matches(job.name) then return true end
    for _, tags in ipairs { declaration.tags, job.tags or {} } do
      for _, tag in ipairs(tags) do
        if matches(tag) then return true end
      end
    end
  end
  return false
end

local function listed(names)
  local list, seen = {}, {}
  for _, name in ipairs(names) do
    if not seen[name] then list[#list + 1] = name end
    seen[name] = true
  end
  return table.concat(list, ", ")
end

-- A selector that selects nothing at all is a typo.
local function check_selectors(option, patterns, jobs)
  for _, pattern in ipairs(patterns) do
    local hit, names = false, {}
    for _, job in ipairs(jobs) do
      names[#names + 1] = job.name
      for _, declaration in ipairs(job.declarations) do
        names[#names + 1] = declaration.name
        hit = hit or matches_any({ pattern }, declaration, job)
      end
    end
    if not hit then
      local close = nearest(pattern, names)
      error(outcome.error("usage", ("%s %s matches no check, model or tag"):format(option, pattern),
        close and ("did you mean '%s'?"):format(close) or "there are: " .. listed(names)), 0)
    end
  end
end

local function select_declarations(job, options)
  local highest = tier.rank(options.tier or "generate")
  local kept = {}
  for _, declaration in ipairs(job.declarations) do
    local wanted = #options.only == 0 or matches_any(options.only, declaration, job)
    if wanted and not matches_any(options.skip, declaration, job)
        and tier.rank(declaration.check.needs) <= highest then
      kept[#kept + 1] = declaration
    end
  end
  job.declarations = kept
end

-- What `qspec accept` recorded, for each model and the device that it runs on.
local function add_accepted(spec, jobs)
  local records = accepted_outputs.read(spec.path)
  for _, job in ipairs(jobs) do
    if job.subject then
      job.subject.accepted = function(prompt, max_new_tokens)
        local device = accepted_outputs.device(job.subject.device)
        return accepted_outputs.texts(records, { model = job.name, device = device,
          prompt = prompt, max_new_tokens = max_new_tokens })
      end
    end
  end
end

--- The work that a spec asks for.
---@param spec table
---@param options table {model?, baseline?, only: string[], skip: string[], tier?, device?: name}
---@return qspec.Job[]
function M.make(spec, options)
  local jobs = {}
  if options.model then
    jobs[1] = given_job(spec, options)
  else
    for i, model in ipairs(spec.models) do jobs[i] = declared_job(spec, model, options) end
  end
  add_accepted(spec, jobs)
  check_selectors("--only", options.only, jobs)
  check_selectors("--skip", options.skip, jobs)
  for _, job in ipairs(jobs) do select_declarations(job, options) end
  return jobs
end

return M
