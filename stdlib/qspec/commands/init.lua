-- qspec init: a spec from a checkpoint.

local generation = require "qspec.generation"
local device = require "qspec.device"
local lua_source = require "qspec.lua_source"
local observation = require "qspec.observation"
local outcome = require "qspec.outcome"
local spec_text = require "qspec.spec_text"
local system = require "host.system"
local units = require "qspec.units"
local Subject = require "qspec.subject"

local M = {
  name = "init",
  summary = "write a spec from what a checkpoint holds, ready to run and to be changed",
  examples = {
    "qspec init ./model --baseline ./dense -o model.lua",
    "qspec init ./model --prompt 'Hello my name is' --prompt 'Once upon a time'",
  },
}

local PROMPTS = { "Hello my name is", "The capital of France is" }

function M.options(parser)
  parser:argument("path", "A model folder, or a GGUF file.")
  parser:option("--baseline", "The full-precision checkpoint to measure against."):argname("PATH")
  parser:option("-o", "Write to a file; standard output unless given."):argname("FILE")
    :target("output")
  parser:flag("--force", "Replace the file when there is one.")
  parser:option("--prompt", "A text to continue, whose continuation is accepted."):count("*")
    :argname("TEXT")
  parser:option("--max-new-tokens", "Tokens to generate."):default("10"):convert(tonumber)
    :argname("N")
  parser:option("--device", "auto, cpu or cuda[:N]."):default("auto"):argname("DEVICE")
end

local function check_output(path, force)
  if not path then return end
  local folder = path:match("^(.*)/[^/]*$") or "."
  local kind = system.kind(path)
  if system.kind(folder == "" and "/" or folder) ~= "directory" then
    error(outcome.error("io", "the spec's folder does not exist", "make it first", path), 0)
  elseif kind and kind ~= "file" then
    error(outcome.error("io", "the spec's target is not a regular file", "name a file", path), 0)
  elseif kind and not force then
    error(outcome.error("usage", "there is a file already", "--force replaces it", path), 0)
  end
end

local function check_tokens(count)
  if count >= 1 and count % 1 == 0 then return end
  local message = "--max-new-tokens is %s, wanted a whole number of 1 or more"
  error(outcome.error("usage", message:format(tostring(count))), 0)
end

local HUB_SNAPSHOT = "/models%-%-([^/]-)%-%-([^/]+)/snapshots/(%x+)/?(.*)$"

local function last_part(path)
  return path:gsub("/+$", ""):match("[^/]+$") or path
end

local function hub_source(repository, commit, file)
  local fields = { { "revision", lua_source.quote(commit) } }
  if file ~= "" then fields[2] = { "file", lua_source.quote(file) } end
  return lua_source.call("hub", { repository }, fields)
end

-- What a spec at `output` calls the path: an example, a repository when it is a snapshot of the
-- hub's cache, a path below the spec's folder, or one from the root.
local function reference(path, output)
  local absolute = system.absolute(path)
  if absolute:match("^(.*)/[^/]+$") == system.home() .. "/examples/models" then
    return "example " .. lua_source.quote(last_part(absolute))
  end
  local org, name, commit, file = absolute:match(HUB_SNAPSHOT)
  if org then return hub_source(org .. "/" .. name, commit, file) end
  local folder = output and system.absolute(output):match("^(.*/)[^/]*$")
  if folder and absolute:sub(1, #folder) == folder then absolute = absolute:sub(#folder + 1) end
  return lua_source.quote(absolute)
end

local function name_of(path)
  local _, repository, _, file = system.absolute(path):match(HUB_SNAPSHOT)
  return repository and file == "" and repository or last_part(path)
end

local function unique(list)
  local seen, kept = {}, {}
  for _, entry in ipairs(list) do
    if not seen[entry] then kept[#kept + 1] = entry end
    seen[entry] = true
  end
  return kept
end

-- A model that cannot be run here still has a spec; a fault of ours or a typo in a prompt has not.
local CANNOT_RUN = { unsupported = true, checkpoint = true }

-- What a model with faults says is not made the rule either.
local function generate(subject, args, device_name, faults)
  if faults > 0 then
    return { reason = "the checkpoint has findings; qspec accept records texts later" }
  end
  local prompts = unique(#args.prompt > 0 and args.prompt or PROMPTS)
  local texts = {}
  for i, prompt in ipairs(prompts) do
    local ok, result = pcall(generation.run, subject, prompt, args.max_new_tokens)
    if not ok then
      local err = outcome.from(result)
      if CANNOT_RUN[err.kind] then return { reason = err.message } end
      error(result, 0)
    end
    texts[i] = result.text
  end
  return { prompts = prompts, texts = texts, max_new_tokens = args.max_new_tokens,
    device = device_name }
end

local function observe(args)
  local chosen = device.choose(args.device)
  local baseline = args.baseline and Subject.new { name = args.baseline, path = args.baseline }
  local subject = Subject.new { name = args.path, path = args.path, baseline = baseline,
    device = chosen.name }
  chosen = device.settle(chosen, { subject }, { subject })
  local contexts, names, faults = observation.checks(subject)
  return { name = name_of(args.path), subject = subject,
    checkpoint = reference(args.path, args.output),
    baseline = args.baseline and reference(args.baseline, args.output), contexts = contexts,
    check_names = names, converted = observation.converted(subject),
    kept = observation.kept(subject), faults = faults,
    generated = generate(subject, args, chosen.name, faults) }
end

function M.run(args)
  check_output(args.output, args.force)
  check_tokens(args.max_new_tokens)
  local found = observe(args)
  local text = spec_text.render(found)
  found.subject:release()
  if args.output then
    system.write_atomic(args.output, text)
  else
    system.stdout(text)
  end
  if found.faults == 0 then return outcome.EXIT_PASS end
  system.stderr(("qspec: warning: the checkpoint has %s already, and fails its own spec\n"
    .. "  hint: comments in the spec name the first of each check\n"):format(
    units.count(found.faults, "finding")))
  return outcome.EXIT_FAIL
end

return M
