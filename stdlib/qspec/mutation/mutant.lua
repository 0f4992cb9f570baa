-- One broken copy of a checkpoint, in memory: an overlay on the tensors and one on the small files.
--
-- Operators change it through the methods below, which keep an index true of the tensors unless
-- they are told otherwise. Nothing reaches the disk (writer.lua does that for --keep).

local doses = require "qspec.mutation.doses"
local json = require "host.json"
local random = require "qspec.mutation.random"
local Subject = require "qspec.subject"

local CONFIG, INDEX = "config.json", "model.safetensors.index.json"

---@class qspec.Mutant
---@field genuine table the subject that it is made from; read only
---@field stored any host.checkpoint overlay
---@field folder qspec.Folder
---@field placed table<string, string> file of tensors that were moved
---@field touched table<string, boolean> names of tensors that were put, dropped or replaced
---@field metadata table<string, boolean> keys of a GGUF file that were changed
---@field random any choices that are the same every time
local Mutant = {}
Mutant.__index = Mutant

--- A copy without a change yet.
---@param genuine table subject
---@param name string of the mutant; decides its random choices
function Mutant.new(genuine, name)
  local mutant = { genuine = genuine, name = name, stored = genuine.stored:overlay(),
    folder = genuine.folder:overlay(), touched = {}, placed = {}, metadata = {},
    random = random.of(name) }
  return setmetatable(mutant, Mutant)
end

--- The rows of the census, of the genuine checkpoint, that hold packed weights.
function Mutant:packed()
  local rows = {}
  for _, row in ipairs(self.genuine.census.modules) do
    if row.layout then rows[#rows + 1] = row end
  end
  return rows
end

--- The rows that a dose takes, of the packed ones unless given.
function Mutant:doses(dose, rows)
  return doses.rows(self, dose, rows or self:packed())
end

-- Tensors ----------------------------------------------------------------------------------------

--- The name in the files of a module's tensor, there or not.
function Mutant.name_of(row, suffix)
  local entry = row.holding.tensors[suffix]
  if entry then return entry.name end
  local any = row.holding.list[1]
  local stem = any and row.holding.tensors[any].name:sub(1, -#any - 1) or row.name .. "."
  return stem .. suffix
end

function Mutant:put(name, dtype, shape, bytes)
  self.touched[name] = true
  self.stored:put(name, dtype, shape, bytes)
end

function Mutant:store(name, tensor)
  self.touched[name] = true
  require("host.tensor").store(self.stored, name, tensor)
end

--- The same tensor with other bytes, uint8.
function Mutant:put_bytes(entry, bytes)
  self:store(entry.name, bytes:reshape(entry.bytes))
  local data = self.stored:bytes(entry.name, entry.bytes)
  self:put(entry.name, entry.dtype, entry.shape, data)
end

--- Changes a key of a GGUF file's metadata; nil takes it away.
function Mutant:set_metadata(key, value)
  self.metadata[key] = true
  self.stored:set_metadata(key, value)
end

function Mutant:drop(name)
  self.touched[name] = true
  self.stored:drop(name)
end

function Mutant:rename(name, new)
  local entry = self.stored:find(name)
  local data = self.stored:bytes(name, entry.bytes)
  self:drop(name)
  self:put(new, entry.dtype, entry.shape, data)
end

--- Takes away what is packed of a module: all but its bias.
function Mutant:drop_packed(row)
  for _, suffix in ipairs(row.holding.list) do
    if suffix ~= "bias" then self:drop(row.holding.tensors[suffix].name) end
  end
end

-- Small files ------------------------------------------------------------------------------------

--- Changes a JSON file in place; false when there is none.
---@param name string
---@param edit fun(value: table): any what it returns replaces the whole, nil keeps it
function Mutant:edit_json(name, edit)
  if not self.folder:has(name) then return false end
  local value, kinds = self.folder:json(name)
  local replaced = edit(value)
  self.folder:put(name, json.encode(replaced or value, { indent = 2, kinds = kinds }))
  return true
end

function Mutant:edit_config(edit)
  return self:edit_json(CONFIG, edit)
end

-- Where libraries keep what config.json says of the quantization, once more.
local BESIDE = { "quantize_config.json", "quant_config.json" }

local KEYS = { "quantization_config", "compression_config", "quantization" }

--- Changes the quantization_config wherever it is written: the copies stay copies.
---@param edit fun(config: table): any|nil what it returns is the edit's answer
---@return any of the last edit that answered
function Mutant:edit_quantization(edit)
  local answer
  self:edit_config(function(config)
    for _, key in ipairs(KEYS) do
      if type(config[key]) == "table" then answer = edit(config[key]) end
    end
  end)
  for _, name in ipairs(BESIDE) do
    self:edit_json(name, function(config) answer = edit(config) or answer end)
  end
  return answer
end

--- Takes every copy of the quantization_config away.
function Mutant:drop_quantization()
  self:edit_config(function(config)
    for _, key in ipairs(KEYS) do config[key] = nil end
  end)
  for _, name in ipairs(BESIDE) do
    if self.folder:has(name) then self.folder:drop(name) end
  end
end

-- The index --------------------------------------------------------------------------------------

local function shard_name(number, count)
  return ("model-%05d-of-%05d.safetensors"):format(number, count)
end

--- Lets a tensor lie in that file of the folder.
function Mutant:place(name, file)
  self.placed[name] = file
  self.stored:place(name, file)
end

-- Half the tensors in one file and half in another, as save_pretrained splits a large model.
local function split_in_two(stored)
  local entries, map, total = stored:tensors(), {}, 0
  for i, entry in ipairs(entries) do
    map[entry.name] = shard_name(i * 2 > #entries and 2 or 1, 2)
    total = total + entry.bytes
  end
  return { metadata = { total_size = total }, weight_map = map }
end

--- Changes the index; a model of one file is split in two first, so that it has one.
---@param edit fun(index: table)
function Mutant:edit_index(edit)
  local had_one = self.folder:has(INDEX)
  local index = had_one and self.folder:json(INDEX) or split_in_two(self.stored)
  if not had_one then
    for name, file in pairs(index.weight_map) do self:place(name, file) end
  end
  edit(index)
  local text = json.encode(index, { indent = 2, sort = true })
  self.folder:put(INDEX, text)
  self.stored:set_index(text)
end

-- The result -------------------------------------------------------------------------------------

--- The mutant as a model under test, with the baseline of the genuine one.
function Mutant:subject()
  local genuine = self.genuine
  return Subject.new { name = genuine.name, path = genuine.path, baseline = genuine.baseline,
    folder = self.folder, stored = self.stored }
end

return Mutant
