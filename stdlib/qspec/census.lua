-- The census: module by module, what was requested against what the tensors are.
--
-- Built from config and headers. Every contradiction becomes a fact, and each check reports the
-- facts of its kind, so that nothing is said twice and nothing is lost between two checks.

local footprint = require "qspec.footprint"
local holdings = require "qspec.holdings"
local shapes = require "qspec.shapes"
local StoredWeight = require "qspec.stored_weight"

local M = {}

---@class qspec.Fact
---@field kind "fell_back"|"unrequested"|"missing"|"shape"|"companion"|"orphan"|"misread"
---@field module string|nil
---@field key string|nil tensor or parameter concerned
---@field found string
---@field wanted string
---@field hint string|nil

local FLOATS = { F16 = true, BF16 = true, F32 = true, F64 = true }

local function describe(entry)
  return entry.dtype .. " [" .. shapes.text(entry.shape) .. "]"
end

-- Most modules of most checkpoints are plain floats: no layout needs to be asked.
local function is_plainly_dense(holding)
  local weight = holding.tensors.weight
  if #holding.list == 0 then return true end
  if not weight or not FLOATS[weight.dtype] then return false end
  return #holding.list == 1 or #holding.list == 2 and holding.tensors.bias ~= nil
end

local function claiming_layout(formats, holding, module, request)
  if is_plainly_dense(holding) then return nil end
  local i, format = 1, formats[1]
  while format do  -- not ipairs: most formats are loaded only when they are asked (subject.lua)
    for _, layout in ipairs(format.layouts) do
      if layout.claims(holding, module, request) then return layout, format end
    end
    i = i + 1
    format = formats[i]
  end
end

local Census = {}
Census.__index = Census

function Census:fact(kind, module, fields)
  fields.kind, fields.module = kind, module and module.name
  self.facts[#self.facts + 1] = fields
end

-- Dense parameters --------------------------------------------------------------------------------

function Census:missing_parameter(row, module, parameter, holding)
  if module.tied_to then return end  -- settle_ties knows it from its target
  self:fact("missing", module, { key = holding.missing or parameter.name, found = "missing",
    wanted = "[" .. shapes.text(parameter.shape) .. "]",
    hint = "transformers would fill it with random values" })
  row.status = "missing"
end

function Census:dense_parameter(row, module, parameter, holding)
  local entry = holding.tensors[parameter.name]
  if not entry then return self:missing_parameter(row, module, parameter, holding) end
  local dtype = entry.torch_dtype
  if FLOATS[entry.dtype] then
    dtype = self.requests.dtype_of and self.requests.dtype_of(module)
      or footprint.dense_dtype(self.architecture, module.name, self.dtype or dtype)
  end
  row.own_tensors = true
  row.parameters[parameter.name] = { dtype = dtype, shape = entry.shape,
    stored = entry.torch_dtype }
  row.footprint = row.footprint + footprint.loaded_bytes(entry, dtype)
  if not shapes.equal(entry.shape, parameter.shape) then
    self:fact("shape", module, { key = parameter.name, found = describe(entry),
      wanted = "[" .. shapes.text(parameter.shape) .. "]" })
    row.status = "mismatched"
  elseif not FLOATS[entry.dtype] then
    self:fact("misread", module, { key = parameter.name, found = describe(entry),
      wanted = "a floating dtype", hint = "packed codes without any companion" })
    row.status = "mismatched"
  end
end

function Census:dense_module(row, module, holding)
  local expected = {}
  for _, parameter in ipairs(module.parameters) do
    expected[parameter.name] = true
    self:dense_parameter(row, module, parameter, holding)
  end
  local weight = row.parameters.weight
  row.logical_dtype = weight and weight.dtype
  for _, suffix in ipairs(holding.list) do
    if not expected[suffix] then
      self:fact("orphan", module, { key = suffix, found = describe(holding.tensors[suffix]),
        wanted = "no such tensor", hint = module.class .. " has no '" .. suffix .. "'" })
    end
  end
end

-- Packed weights ----------------------------------------------------------------------------------

local function allows(wanted, dtype)
  if type(wanted) == "string" then return wanted == dtype end
  for _, one in ipairs(wanted) do
    if one == dtype then return true end
  end
  return false
end

local function wanted_text(tensor)
  local dtype = type(tensor.dtype) == "table" and table.concat(tensor.dtype, " or ") or tensor.dtype
  return dtype .. " [" .. shapes.text(tensor.shape) .. "]"
end

-- A tensor of the layout against the file.
function Census:compare_entry(row, module, tensor, entry)
  if not entry then
    if tensor.optional then return end
    self:fact("companion", module, { key = tensor.suffix, found = "missing",
      wanted = wanted_text(tensor), hint = tensor.hint })
  elseif allows(tensor.dtype, entry.dtype) and shapes.equal(entry.shape, tensor.shape) then
    return
  else
    self:fact("companion", module, { key = tensor.suffix, found = describe(entry),
      wanted = wanted_text(tensor), hint = tensor.hint })
  end
  row.status = "broken"
end

local HELD_AS = { parameter = "parameters", buffer = "buffers", attribute = "companions" }

-- What transformers makes of a tensor of the layout when it loads it.
local function hold(row, tensor, entry)
  if not entry and not tensor.made then return end
  local role = tensor.role or "parameter"
  local shape = entry and entry.shape or tensor.shape
  local dtype = tensor.loaded or entry and entry.torch_dtype
  row[HELD_AS[role]][tensor.suffix] = { dtype = dtype, shape = shape,
    stored = entry and entry.torch_dtype }
  if role ~= "attribute" then
    row.footprint = row.footprint + footprint.bytes(shape, dtype)
  end
end

function Census:layout_tensors(row, module, holding)
  local expected = {}
  for _, tensor in ipairs(row.layout.tensors(row.weight.scheme, module, self.dtype)) do
    local entry = holding.tensors[tensor.suffix]
    if not tensor.made then
      expected[tensor.suffix] = true
      self:compare_entry(row, module, tensor, entry)
      if tensor.codes and entry then row.codes = entry end
    end
    hold(row, tensor, not tensor.made and entry or nil)
  end
  return expected
end

function Census:packed_module(row, module, holding, layout, format)
  row.format, row.layout, row.own_tensors = format.name, layout, true
  row.weight = StoredWeight.new { layout = layout, module = module, holding = holding,
    checkpoint = self.checkpoint, request = row.request }
  local scheme = row.weight.scheme
  row.class = scheme.class or layout.class or module.class
  row.logical_dtype, row.scheme = scheme.type, scheme
  local expected = self:layout_tensors(row, module, holding)
  for _, parameter in ipairs(module.parameters) do
    if parameter.name ~= "weight" and not expected[parameter.name] then
      expected[parameter.name] = true
      self:dense_parameter(row, module, parameter, holding)
    end
  end
  for _, problem in ipairs(layout.problems and layout.problems(row.weight) or {}) do
    self:fact("companion", module, problem)
    if not problem.harmless then row.status = "broken" end
  end
  for _, suffix in ipairs(holding.list) do
    if not expected[suffix] then
      self:fact("companion", module, { key = suffix, found = describe(holding.tensors[suffix]),
        wanted = "no such tensor", hint = "not a companion of " .. layout.name })
    end
  end
end

-- All of a module ---------------------------------------------------------------------------------

-- A row that cannot be read stays called so.
function Census:judge(row, module)
  if not self.requests.judged then return end
  if row.request and not row.format and row.status ~= "missing" then
    self:fact("fell_back", module, { found = module.class .. " " .. tostring(row.logical_dtype),
      wanted = row.request.class .. " " .. row.request.type,
      hint = "no exclusion protects it: it fell back to full precision" })
    row.reason = "stayed dense without being excluded"
    row.status = row.status == "ok" and "fell_back" or row.status
  elseif row.format and not row.request then
    self:fact("unrequested", module, { found = row.class .. " " .. row.logical_dtype,
      wanted = module.class .. (self.dtype and " " .. self.dtype or ""),
      hint = row.reason or ("a module of class %s is never converted"):format(module.class) })
    row.status = row.status == "ok" and "unrequested" or row.status
  end
end

-- Ties --------------------------------------------------------------------------------------------

-- A tied module without tensors of its own has those of its target. Files of torch.save name one
-- tensor twice: both names are of one place in the file, and take memory once.
function Census:settle_ties()
  for _, row in ipairs(self.modules) do
    local target = row.tied_to and self.by_name[row.tied_to]
    if target and not row.own_tensors then
      row.parameters, row.logical_dtype = target.parameters, target.logical_dtype
    elseif target then
      local own, other = row.holding.tensors.weight, target.holding.tensors.weight
      row.is_shared = own and other and holdings.is_same_place(own, other)
    end
  end
end

local function new_row(module, holding)
  local stored = 0
  for _, suffix in ipairs(holding.list) do stored = stored + holding.tensors[suffix].bytes end
  return { name = module.name, class = module.class, kind = module.kind, tied_to = module.tied_to,
    module = module, holding = holding, parameters = {}, buffers = {}, companions = {},
    footprint = 0, stored = stored, status = "ok" }
end

function Census:add(module)
  local holding = self.holdings[module.name]
  local row = new_row(module, holding)
  row.request, row.reason = self.requests.of(module)
  row.requested = row.request and row.request.type or "dense"
  self.by_name[module.name] = row
  self.modules[#self.modules + 1] = row
  for _, buffer in ipairs(module.buffers or {}) do
    hold(row, { suffix = buffer.name, role = "buffer", made = true, loaded = buffer.dtype,
      shape = buffer.shape })
  end
  local layout, format
  if #module.shape >= 2 then
    layout, format = claiming_layout(self.formats, holding, module, row.request)
  end
  if layout then
    self:packed_module(row, module, holding, layout, format)
  else
    self:dense_module(row, module, holding)
  end
  self:judge(row, module)
end

--- Takes the census of a checkpoint.
---@param o table {architecture, modules, checkpoint, formats, requests, dtype?, canonical?,
---  tensors?: entries in place of the checkpoint's own}
---@return table census {modules, facts, by_name, requests, orphans}
function M.take(o)
  local census = setmetatable({ architecture = o.architecture, checkpoint = o.checkpoint,
    formats = o.formats, requests = o.requests, dtype = o.dtype, modules = {}, by_name = {},
    facts = {} }, Census)
  census.holdings, census.orphans =
    holdings.group(o.architecture, o.modules, o.tensors or o.checkpoint:tensors(), o.canonical)
  for _, module in ipairs(o.modules) do census:add(module) end
  census:settle_ties()
  for _, entry in ipairs(census.orphans) do
    census:fact("orphan", nil, { key = entry.name, found = describe(entry),
      wanted = "no such tensor", hint = "no module of this architecture owns it" })
  end
  return census
end

--- How many modules hold packed weights.
function M.packed(census)
  local count = 0
  for _, row in ipairs(census.modules) do
    if row.format then count = count + 1 end
  end
  return count
end

return M
