-- A mutant on disk, for `qspec mutate --keep`: what a real folder that is broken like this holds.

local json = require "host.json"
local outcome = require "qspec.outcome"
local system = require "host.system"

local M = {}

local LARGEST = 2 ^ 30
local SINGLE = "model.safetensors"

local function base_name(path)
  return path and path:match("[^/]*$")
end

-- Where a tensor belongs: where the mutant placed it, or where it was, or in any file.
local function file_of(mutant, entry)
  local genuine = mutant.genuine.stored:find(entry.name)
  local _, any = next(mutant.placed)
  return mutant.placed[entry.name] or any or base_name(entry.file or genuine and genuine.file)
    or SINGLE
end

local function by_file(mutant)
  local files, names = {}, {}
  for _, entry in ipairs(mutant.stored:tensors()) do
    local file = file_of(mutant, entry)
    if not files[file] then
      files[file], names[#names + 1] = {}, file
    end
    table.insert(files[file], entry)
  end
  table.sort(names)
  return files, names
end

local function little_endian(number)
  local bytes = {}
  for i = 1, 8 do
    bytes[i] = string.char(number % 256)
    number = math.floor(number / 256)
  end
  return table.concat(bytes)
end

--- The text of a safetensors file with these tensors, in their order.
---@param stored any host.checkpoint
---@param entries table[]
function M.safetensors(stored, entries)
  local header, parts, offset = { __metadata__ = { format = "pt" } }, {}, 0
  for i, entry in ipairs(entries) do
    header[entry.name] = { dtype = entry.dtype, shape = json.array { unpack(entry.shape) },
      data_offsets = json.array { offset, offset + entry.bytes } }
    parts[i] = stored:bytes(entry.name, LARGEST)
    offset = offset + entry.bytes
  end
  local text = json.encode(header, { sort = true })
  text = text .. (" "):rep(-#text % 8)
  return little_endian(#text) .. text .. table.concat(parts)
end

--- Writes the mutant into a new folder.
---@param mutant qspec.Mutant
---@param folder string its parent must exist
function M.write(mutant, folder)
  if system.kind(folder) ~= nil then
    error(outcome.error("io", "the folder for a mutant is there already",
      "--keep takes an empty folder", folder), 0)
  end
  system.make_folder(folder)
  local files, names = by_file(mutant)
  for _, name in ipairs(names) do
    system.write_atomic(folder .. "/" .. name, M.safetensors(mutant.stored, files[name]))
  end
  for _, name in ipairs(mutant.folder:list()) do
    local is_weights = name:find("%.safetensors$") and mutant.folder.changed[name] == nil
    if not files[name] and not is_weights and mutant.folder:has(name) then
      system.write_atomic(folder .. "/" .. name, mutant.folder:text(name))
    end
  end
end

return M
