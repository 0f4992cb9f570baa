-- The small files of a model folder: as they are on disk, or with some replaced in memory.

local json = require "host.json"
local outcome = require "qspec.outcome"
local system = require "host.system"

local LARGEST = 2 ^ 28

---@class qspec.Folder
---@field path string|false
---@field changed table<string, string|false> text by name; false for a file that was taken away
local Folder = {}
Folder.__index = Folder

---@param path string|false
function Folder.new(path)
  return setmetatable({ path = path or false, changed = {} }, Folder)
end

--- The same files, to be changed in memory.
function Folder:overlay()
  local copy = Folder.new(self.path)
  for name, text in pairs(self.changed) do copy.changed[name] = text end
  return copy
end

--- The path under which errors name a file.
function Folder:file(name)
  return self.path and self.path .. "/" .. name
end

--- What lies under a name: "file", "directory", "other", or nil.
function Folder:kind(name)
  if self.changed[name] ~= nil then return self.changed[name] and "file" or nil end
  return self.path and system.kind(self:file(name)) or nil
end

function Folder:has(name)
  return self:kind(name) == "file"
end

--- Names of what lies in the folder, sorted.
---@return string[]
function Folder:list()
  local names = {}
  for _, name in ipairs(self.path and system.list(self.path) or {}) do
    if self.changed[name] == nil then names[#names + 1] = name end
  end
  for name, text in pairs(self.changed) do
    if text then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- The text of a file that is there.
function Folder:text(name)
  local text = self.changed[name]
  if text == false then
    error(outcome.error("io", "no such file", nil, self:file(name)), 0)
  end
  return text or system.read(self:file(name), LARGEST)
end

--- A JSON file that is there, as json.read gives it.
---@return any value
---@return any kinds
function Folder:json(name)
  if not self.changed[name] then return json.read(self:file(name)) end
  return json.decode(self.changed[name], self:file(name))
end

--- A JSON file that is there, without the kinds of its values.
---@return any value
function Folder:value(name)
  return json.value(self:text(name), self:file(name))
end

function Folder:put(name, text)
  self.changed[name] = text
end

function Folder:drop(name)
  self.changed[name] = false
end

return Folder
