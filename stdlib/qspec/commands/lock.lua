-- qspec lock: records what a checkpoint is, and says later what changed.

local changes = require "qspec.lock.changes"
local checked = require "qspec.lock.checked"
local comparison = require "qspec.lock.comparison"
local file = require "qspec.lock.file"
local json = require "host.json"
local outcome = require "qspec.outcome"
local outputs = require "qspec.lock.outputs"
local printable = require "qspec.printable"
local progress = require "qspec.mutation.progress"
local record = require "qspec.lock.record"
local report = require "qspec.lock.report"
local system = require "host.system"
local units = require "qspec.units"
local Subject = require "qspec.subject"

local function say(text, ...)
  system.stdout(text:format(...) .. "\n")
end

local function default_path(subject)
  local name = subject.path:gsub("/+$", ""):match("[^/]+$") or "model"
  return name .. ".lock.json"
end

local function is_spec(path)
  return path:find("%.lua$") ~= nil and system.kind(path) ~= "directory"
end

-- What a lock is taken of: a checkpoint, or the model of a spec that passes.
local function target_of(args)
  if not is_spec(args.target) then
    return Subject.new { name = args.target, path = args.target }, {}, {}
  end
  local job, failures, said = checked.model(args.target, args.only)
  return job.subject, failures, { spec = said, declarations = job.declarations }
end

local function refuse(subject, failures)
  say("%s does not pass, so that it is not locked", printable.line(subject.name))
  for _, line in ipairs(failures) do say("  %s", printable.line(line)) end
  return outcome.EXIT_FAIL
end

local function taken(args, subject, said)
  local line = progress.open()
  local value = record.take(subject, { bytes_only = args.bytes_only, progress = line.show })
  value.spec = said.spec
  if args.outputs then
    value.outputs = outputs.take(subject, outputs.wanted(said.declarations))
  end
  line.clear()
  return value
end

local function take(args)
  local subject, failures, said = target_of(args)
  if #failures > 0 then return refuse(subject, failures) end
  local value = taken(args, subject, said)
  local path = args.output or default_path(subject)
  file.write(path, value)
  if path == "-" then return outcome.EXIT_PASS end
  say("%s: %s, %s, %s%s", printable.line(path), units.count(#value.tensors, "tensor"),
    units.count(#value.modules, "module"), units.bytes(value.footprint.stored_bytes),
    value.outputs and ", " .. units.count(#value.outputs, "output") or "")
  return outcome.EXIT_PASS
end

local function show(list, args, lock, path)
  if args.json then
    return system.stdout(json.encode(report.to_json(list, args.check, path), { indent = 2 })
      .. "\n")
  end
  say("%s, of %s, against %s", printable.line(args.check), lock.date, printable.line(path))
  for _, line in ipairs(report.lines(list, args.verbose)) do say("%s", line) end
end

local function check(args)
  local lock = file.read(args.check)
  local path = args.target or lock.path
  local line = progress.open()
  local list, now = comparison.with_checkpoint(lock, Subject.new { name = path, path = path },
    { path = args.check, says = true, progress = line.show })
  line.clear()
  show(list, args, lock, path)
  if comparison.are_strangers(lock, now) and not args.json then
    say("no tensor is the same: is this the lock of another model?")
  end
  local worst = changes.worst(list)
  return worst and changes.is_worse(worst, args.allow) and outcome.EXIT_FAIL or outcome.EXIT_PASS
end

return {
  name = "lock",
  summary = "record what a checkpoint is, byte by byte, and say later what changed",
  examples = {
    "qspec lock ./model -o model.lock.json",
    "qspec lock specs/bloom.lua --outputs -o bloom.lock.json",
    "qspec lock --check model.lock.json",
    "qspec lock --check model.lock.json ./after-the-upgrade --allow bytes",
  },
  details = [[
A lock holds the SHA-256 of every tensor's bytes, dtypes, shapes and files; module by module class,
format and a hash of the decoded values; configs, the fingerprints of tokenizer, template and other
small files, sizes; with --outputs also texts, token by token with margins. Of a spec its model is
locked, if it passes. --check reads a checkpoint against a lock, and each change is one of three:
of meaning, of bytes that stand for the same values, or of metadata only. Exit code 1 when a change
is worse than --allow. The file is replaced whole, never torn. `qspec diff` takes locks too, and
`qspec run --lock` and the check `locked` hold a checkpoint to one.]],
  options = function(parser)
    parser:argument("target", "A checkpoint or a spec; with --check the one that the lock names.")
      :args("?")
    parser:option("-o --output", "Where the lock goes, NAME.lock.json unless given; - for stdout.")
      :argname("FILE")
    parser:flag("--bytes-only", "Hash bytes and decode nothing: as fast as the disk is.")
    parser:flag("--outputs", "Generate too: the spec's prompts, or two that ship.")
    parser:option("--only", "Of a spec the model of this name."):count("*"):argname("NAME")
    parser:option("--check", "Say what changed since this lock."):argname("FILE")
    parser:option("--allow", "With --check: the worst change that passes.")
      :choices { "nothing", "metadata", "bytes" }:default("metadata")
    parser:flag("--json", "With --check: JSON; schema qspec.changes/1.")
    parser:flag("-v --verbose", "Every change.")
  end,
  run = function(args)
    if args.check then return check(args) end
    if args.target then return take(args) end
    error(outcome.error("usage", "there is nothing to lock", "name a checkpoint or a spec"), 0)
  end,
}
