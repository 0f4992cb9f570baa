-- What changed between two records of a checkpoint, each change of one of three kinds:
--
--   meaning   the model computes, says or is something else
--   bytes     the same values are stored in other bytes
--   metadata  where things lie, how files are written, notes

local difference = require "qspec.difference"
local record = require "qspec.lock.record"
local shapes = require "qspec.shapes"
local units = require "qspec.units"

local M = {}

--- From the least to the worst.
M.KINDS = { "metadata", "bytes", "meaning" }

---@class qspec.Change
---@field kind "meaning"|"bytes"|"metadata"
---@field part string "modules", "config", "files" ...
---@field key string module, key or file
---@field first string|nil
---@field second string|nil
---@field note string|nil

local function add(list, kind, part, key, first, second, note)
  list[#list + 1] = { kind = kind, part = part, key = key, first = first, second = second,
    note = note }
end

local function names_of_both(a, b)
  local names, seen = {}, {}
  for _, list in ipairs { a, b } do
    for _, one in ipairs(list) do
      if not seen[one.name] then seen[one.name], names[#names + 1] = true, one.name end
    end
  end
  return names
end

-- Modules ----------------------------------------------------------------------------------------

local function described(module)
  if not module then return nil end
  local parts = { module.class, module.holds or "-", shapes.text(module.shape) }
  if module.group_size then parts[#parts + 1] = "groups of " .. module.group_size end
  if module.symmetric == false then parts[#parts + 1] = "asymmetric" end
  parts[#parts + 1] = module.layout
  if module.status ~= "ok" then parts[#parts + 1] = module.status end
  if module.tied_to then parts[#parts + 1] = "tied to " .. module.tied_to end
  return table.concat(parts, " ")
end

local function same_tensor(a, b)
  return a and b and a.sha256 == b.sha256 and a.dtype == b.dtype and shapes.equal(a.shape, b.shape)
end

-- The tensors of a module that are not the same in both, without what all their names begin with.
local function changed_tensors(module, other, first, second)
  local names, seen = {}, {}
  for _, one in ipairs { module, other } do
    for _, name in ipairs(one.tensors) do
      if not seen[name] and not same_tensor(first[name], second[name]) then
        names[#names + 1] = name:match("[^.]*$")
      end
      seen[name] = true
    end
  end
  table.sort(names)
  return table.concat(names, ", ")
end

local function judged(module, other)
  if module.values and other.values then
    return module.values == other.values and "bytes" or "meaning"
  end
  local reason = module.unread or other.unread
  return "meaning", reason and "values cannot be read: " .. reason
    or "values are not recorded, so that they may be the same"
end

local function compare_module(list, module, other, first, second)
  local tensors = changed_tensors(module, other, first, second)
  local a, b = described(module), described(other)
  if tensors == "" and a == b then return end
  local kind, note = judged(module, other)
  if tensors == "" then kind, note = "meaning", nil end
  if a == b then
    a, b = nil, (kind == "bytes" and "the same values in other bytes of " or "other values in ")
      .. tensors
  end
  add(list, kind, "modules", module.name, a, b, note)
end

local function of_modules(list, a, b)
  local modules, others = record.by_name(a.modules), record.by_name(b.modules)
  local first, second = record.by_name(a.tensors), record.by_name(b.tensors)
  for _, name in ipairs(names_of_both(a.modules, b.modules)) do
    local module, other = modules[name], others[name]
    if module and other then
      compare_module(list, module, other, first, second)
    else
      add(list, "meaning", "modules", name, described(module), described(other))
    end
  end
end

-- Tensors without a module, and places -----------------------------------------------------------

local function owned(value)
  local set = {}
  for _, module in ipairs(value.modules) do
    for _, name in ipairs(module.tensors) do set[name] = true end
  end
  return set
end

local function tensor_text(tensor)
  return tensor and ("%s [%s], sha256 %s"):format(tensor.dtype, shapes.text(tensor.shape),
    tensor.sha256:sub(1, 12))
end

local function of_other_tensors(list, a, b)
  local owned_a, owned_b = owned(a), owned(b)
  local first, second = record.by_name(a.tensors), record.by_name(b.tensors)
  for _, name in ipairs(names_of_both(a.tensors, b.tensors)) do
    local is_owned = owned_a[name] or owned_b[name]
    if not is_owned and not same_tensor(first[name], second[name]) then
      add(list, "bytes", "tensors", name, tensor_text(first[name]), tensor_text(second[name]),
        "no module of this architecture owns it")
    end
  end
end

local function files_of(tensors)
  local seen, count = {}, 0
  for _, tensor in ipairs(tensors) do
    if tensor.file and not seen[tensor.file] then seen[tensor.file], count = true, count + 1 end
  end
  return units.count(count, "file")
end

local function of_places(list, a, b)
  local second, moved, in_order, previous = record.by_name(b.tensors), 0, true, 0
  local place = {}
  for i, tensor in ipairs(b.tensors) do place[tensor.name] = i end
  for _, tensor in ipairs(a.tensors) do
    local other = second[tensor.name]
    if other and other.file ~= tensor.file then moved = moved + 1 end
    in_order = in_order and (not other or place[tensor.name] > previous)
    previous = place[tensor.name] or previous
  end
  if moved > 0 then
    add(list, "metadata", "places", units.count(moved, "tensor"), files_of(a.tensors),
      files_of(b.tensors), "the same tensors in other files")
  elseif not in_order then
    add(list, "metadata", "places", "order", nil, "the tensors lie in another order")
  end
end

-- Configs and files ------------------------------------------------------------------------------

-- Who wrote a file.
local IS_NOTE = { transformers_version = true, _name_or_path = true, _from_model_config = true }

local function is_note(key)
  return IS_NOTE[key:match("[^.]*$")] or key:find("^general%.") ~= nil
end

local function of_config(list, part, a, b)
  for _, one in ipairs(difference.of_json(a, b)) do
    add(list, is_note(one.key) and "metadata" or "meaning", part, one.key, one.first, one.second)
  end
end

-- Files that are read key by key, and the parts that tell of them.
local TOLD_BY = { ["config.json"] = { config = true, quantization_config = true },
  ["generation_config.json"] = { generation_config = true } }

local function is_told(list, name)
  for _, change in ipairs(list) do
    if TOLD_BY[name][change.part] then return true end
  end
  return false
end

-- The map of the shards says where tensors lie, and so do the places of the tensors.
local function matters(name)
  if name:find("index%.json$") then return false end
  for _, ending in ipairs { "%.json$", "%.jinja$", "%.model$", "%.txt$", "%.py$" } do
    if name:find(ending) then return true end
  end
  return false
end

local function file_text(file)
  if not file then return nil end
  return file.sha256 and ("%d bytes, sha256 %s"):format(file.size, file.sha256:sub(1, 12))
    or units.bytes(file.size)
end

local function same_file(file, other)
  return file and other and file.size == other.size and file.sha256 == other.sha256
end

local function compare_file(list, name, file, other)
  if same_file(file, other) then return end
  local texts = { file_text(file), file_text(other) }
  if file and other and TOLD_BY[name] then
    if is_told(list, name) then return end
    return add(list, "metadata", "files", name, texts[1], texts[2], "written otherwise")
  elseif file and other and file.says and file.says == other.says then
    return add(list, "metadata", "files", name, texts[1], texts[2], "written otherwise")
  end
  local is_small = (file or other).sha256 ~= nil
  add(list, is_small and matters(name) and "meaning" or "metadata", "files", name, texts[1],
    texts[2])
end

local function of_files(list, a, b)
  local files, others = record.by_name(a.files), record.by_name(b.files)
  for _, name in ipairs(names_of_both(a.files, b.files)) do
    compare_file(list, name, files[name], others[name])
  end
end

-- Outputs ----------------------------------------------------------------------------------------

local function first_difference(a, b)
  local i = 1
  while a[i] ~= nil and a[i] == b[i] do i = i + 1 end
  return i
end

local function of_outputs(list, a, b)
  local others = {}
  for _, output in ipairs(b.outputs or {}) do others[output.prompt] = output end
  for _, output in ipairs(a.outputs or {}) do
    local other = others[output.prompt]
    if other and other.text ~= output.text then
      local at = first_difference(output.tokens, other.tokens)
      add(list, "meaning", "outputs", output.prompt, output.text, other.text,
        ("from new token %d on, which had a margin of %s"):format(at,
        output.margins[at] and ("%.4g"):format(output.margins[at]) or "none"))
    end
  end
end

--- The texts that changed, where both records have any of a prompt.
---@param a table record, or its outputs alone
---@param b table
---@return qspec.Change[]
function M.of_outputs(a, b)
  local list = {}
  of_outputs(list, a, b)
  return list
end

--- All changes from one record to another.
---@param a table record
---@param b table record
---@return qspec.Change[] the worst kind first
function M.between(a, b)
  local found, list = {}, {}
  of_modules(found, a, b)
  of_other_tensors(found, a, b)
  of_config(found, "config", a.config, b.config)
  of_config(found, "quantization_config", a.quantization_config, b.quantization_config)
  of_config(found, "generation_config", a.generation_config, b.generation_config)
  of_config(found, "metadata", a.metadata, b.metadata)
  of_files(found, a, b)
  of_outputs(found, a, b)
  of_places(found, a, b)
  for i = #M.KINDS, 1, -1 do
    for _, change in ipairs(found) do
      if change.kind == M.KINDS[i] then list[#list + 1] = change end
    end
  end
  return list
end

--- The worst kind of some changes; nil when there are none.
function M.worst(list)
  return list[1] and list[1].kind
end

--- Whether a kind is worse than the worst that is allowed.
---@param kind string
---@param allowed "nothing"|"metadata"|"bytes"
function M.is_worse(kind, allowed)
  local rank = { nothing = 0 }
  for i, name in ipairs(M.KINDS) do rank[name] = i end
  return rank[kind] > rank[allowed]
end

return M
