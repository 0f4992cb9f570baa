-- What a report says of how it came about: files with their hashes, versions, device, command.

local accepted_outputs = require "qspec.accepted_outputs"
local system = require "host.system"

local M = {}

-- At the header tier only headers were looked at, and hashing whole files would take longer than
-- the run: the size stands alone there.
local function file_record(path, size, hashed)
  return { path = path, size = size, sha256 = hashed and system.sha256_file(path) or nil }
end

-- A spec, and the outputs that were accepted beside it.
local function add_spec(files, spec)
  files[#files + 1] = { path = spec.path, size = #spec.text, sha256 = system.sha256(spec.text) }
  local accepted = accepted_outputs.path(spec.path)
  if system.kind(accepted) == "file" then files[#files + 1] = file_record(accepted, nil, true) end
end

local SMALL_FILES = { "config.json", "generation_config.json", "tokenizer.json",
  "tokenizer_config.json", "tokenizer.model", "chat_template.jinja",
  "model.safetensors.index.json", "pytorch_model.bin.index.json" }

local function add_subject(files, seen, subject, hashed)
  if not subject or not subject.path or seen[subject.path] then return end
  seen[subject.path] = true
  for _, name in ipairs(SMALL_FILES) do
    if subject:has_file(name) then
      files[#files + 1] = file_record(subject:file(name), nil, true)
    end
  end
  local stored = rawget(subject, "stored")
  for _, file in ipairs(stored and stored:files() or {}) do
    files[#files + 1] = file_record(file.path, file.size, hashed)
  end
end

-- What sha256sum prints of config.json and the weight files, in the order of their names.
local function checksums(subject)
  local paths = subject:has_file("config.json") and { subject:file("config.json") } or {}
  for _, file in ipairs(subject.stored:files()) do paths[#paths + 1] = file.path end
  table.sort(paths)
  for i, path in ipairs(paths) do
    paths[i] = system.sha256_file(path) .. "  " .. path:match("[^/]*$") .. "\n"
  end
  return table.concat(paths)
end

--- Which checkpoint this is: the commit of a snapshot in the hub's cache, else a hash of its files.
---@param subject table
---@return table {revision} or {sha256}
function M.origin(subject)
  local commit = system.absolute(subject.path):match("/models%-%-[^/]+/snapshots/(%x+)")
  if commit then return { revision = commit } end
  return { sha256 = system.sha256(checksums(subject)) }
end

--- The provenance of a run. Hashes are computed only when a report will hold them.
---@param args table options of `qspec run`
---@param specs table[]
---@param jobs table[]
---@param device table
function M.collect(args, specs, jobs, device)
  local record = { versions = system.version(), device = device.name, device_reason = device.reason,
    command = "qspec run " .. table.concat(args.spec, " "), seed = 0, files = {} }
  if #args.report == 0 then return record end
  for _, spec in ipairs(specs) do add_spec(record.files, spec) end
  local seen, hashed = {}, args.tier ~= "header"
  for _, job in ipairs(jobs) do
    add_subject(record.files, seen, job.subject, hashed)
    add_subject(record.files, seen, job.subject and job.subject.baseline, hashed)
  end
  return record
end

return M
