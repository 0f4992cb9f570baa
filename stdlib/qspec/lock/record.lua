-- What a lock file holds: one checkpoint as plain data, small enough to keep beside a release.

local footprint = require "qspec.footprint"
local json = require "host.json"
local system = require "host.system"
local values = require "qspec.lock.values"

local M = {}

M.SCHEMA = "qspec.lock/1"

local AT_ONCE = 2 ^ 30  -- bytes between two words of progress

-- Tensors ----------------------------------------------------------------------------------------

local function file_name(entry)
  return entry.file and entry.file:match("[^/]*$") or nil
end

local function tensor_record(entry)
  return { name = entry.name, dtype = entry.dtype, shape = json.array { unpack(entry.shape) },
    bytes = entry.bytes, file = file_name(entry) }
end

-- Fills in the hashes, in the order of the files.
local function hash_tensors(checkpoint, tensors, progress)
  local first = 1
  while first <= #tensors do
    local names, bytes, last = {}, 0, first - 1
    while last < #tensors and bytes < AT_ONCE do
      last = last + 1
      names[#names + 1], bytes = tensors[last].name, bytes + tensors[last].bytes
    end
    progress(first, #tensors, "hashes " .. tensors[first].name)
    for i, digits in ipairs(checkpoint:hashes(names)) do tensors[first + i - 1].sha256 = digits end
    first = last + 1
  end
end

local function take_tensors(checkpoint, progress)
  local tensors = {}
  for i, entry in ipairs(checkpoint:tensors()) do tensors[i] = tensor_record(entry) end
  hash_tensors(checkpoint, tensors, progress)
  return json.array(tensors)
end

-- Modules ----------------------------------------------------------------------------------------

local function add_names(names, entry)
  if not entry.parts then
    names[#names + 1] = entry.name
    return
  end
  for _, expert in ipairs(entry.parts) do
    for _, part in ipairs(expert) do names[#names + 1] = part.name end
  end
end

local function names_of(row)
  local names = {}
  for _, suffix in ipairs(row.holding.list) do add_names(names, row.holding.tensors[suffix]) end
  table.sort(names)
  return json.array(names)
end

local function module_record(row)
  local scheme = row.scheme or {}
  return { name = row.name, class = row.class, holds = row.logical_dtype, status = row.status,
    requested = row.requested, shape = json.array { unpack(row.module.shape) },
    layout = row.layout and row.layout.name, group_size = scheme.group_size,
    symmetric = scheme.symmetric, tied_to = row.tied_to, stored_bytes = row.stored,
    tensors = names_of(row) }
end

-- What the hash of a module's values follows from.
local function fingerprint(module, tensors)
  local lines = { module.layout or "", table.concat(module.shape, " ") }
  for _, name in ipairs(module.tensors) do
    local tensor = tensors[name]
    if not tensor then return nil end
    lines[#lines + 1] = table.concat({ name, tensor.dtype, table.concat(tensor.shape, " "),
      tensor.sha256 }, "\t")
  end
  return table.concat(lines, "\n")
end

function M.by_name(list)
  local found = {}
  for _, one in ipairs(list) do found[one.name] = one end
  return found
end

-- What was read before need not be read again: the hashes that a lock has of the same bytes.
local function known_values(known, tensors)
  if not known then return function() end end
  local modules, others = M.by_name(known.modules), M.by_name(known.tensors)
  return function(module)
    local other = modules[module.name]
    local print = other and fingerprint(other, others)
    if print and print == fingerprint(module, tensors) then return other end
  end
end

local function take_modules(subject, tensors, o)
  local modules, by_name = {}, M.by_name(tensors)
  local known = known_values(o.known, by_name)
  for i, row in ipairs(subject.census.modules) do
    local module = module_record(row)
    local other = known(module)
    if other then
      module.values, module.unread = other.values, other.unread
    elseif not o.bytes_only then
      o.progress(i, #subject.census.modules, "values of " .. row.name)
      module.values, module.unread = values.of(row, subject.checkpoint)
    end
    modules[i] = module
  end
  return json.array(modules)
end

-- Files ------------------------------------------------------------------------------------------

local function is_weights(name)
  return name:find("%.safetensors$") or name:find("%.bin$") or name:find("%.gguf$")
    or name:find("%.pt$") or name:find("%.pth$")
end

-- Lock files may lie beside what they lock.
local function is_ours(name)
  return name:find("%.lock%.json$") or name:find("^%.")
end

local function small_file(folder, name)
  local text = folder:text(name)
  return { name = name, size = #text, sha256 = system.sha256(text),
    says = name:find("%.json$") and values.of_json(text, name) or nil }
end

local function take_files(subject)
  local files = {}
  for _, file in ipairs(subject.stored:files()) do
    files[#files + 1] = { name = file.path:match("[^/]*$"), size = file.size }
  end
  for _, name in ipairs(subject.gguf and {} or subject.folder:list()) do
    if subject:has_file(name) and not is_weights(name) and not is_ours(name) then
      files[#files + 1] = small_file(subject.folder, name)
    end
  end
  table.sort(files, function(a, b) return a.name < b.name end)
  return json.array(files)
end

local LONGEST = 64

-- The metadata of a GGUF file; tokens and templates are long and stand as hashes.
local function take_metadata(subject)
  if not subject.gguf then return nil end
  local metadata = {}
  for _, key in ipairs(subject.stored:metadata_keys()) do
    local text = json.encode((subject.stored:metadata(key)))
    metadata[key] = #text <= LONGEST and text
      or ("%d bytes, sha256 %s"):format(#text, system.sha256(text))
  end
  return metadata
end

-- All of it --------------------------------------------------------------------------------------

local function without_quantization(raw)
  local copy = {}
  for key, value in pairs(raw) do copy[key] = value end
  copy.quantization_config = nil
  return copy
end

local function take_footprint(subject)
  local stored = 0
  for _, entry in ipairs(subject.entries) do stored = stored + entry.bytes end
  return { transformers_bytes = footprint.of_census(subject.census), stored_bytes = stored,
    is_packed = subject:is_packed() }
end

--- Takes the record of a checkpoint.
---@param subject table
---@param o table {bytes_only?: true to decode nothing, known?: record whose values hold for the
---  same bytes, progress?: fun(done, total, what)}
---@return table record
function M.take(subject, o)
  local options = { bytes_only = o.bytes_only, known = o.known,
    progress = o.progress or function() end }
  local tensors = take_tensors(subject.checkpoint, options.progress)
  return { schema = M.SCHEMA, qspec = system.version().qspec, date = system.now(),
    path = subject.path, architecture = subject.architecture.name,
    format = subject.format and subject.format.name or nil, footprint = take_footprint(subject),
    config = without_quantization(subject.raw), quantization_config = subject.quantization or nil,
    generation_config = subject.generation_config, metadata = take_metadata(subject),
    files = take_files(subject), tensors = tensors, modules = take_modules(subject, tensors,
    options) }
end

return M
