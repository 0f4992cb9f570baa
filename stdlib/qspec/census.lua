-- The census: module by module, what was requested against what the tensors are.
--
-- Built from config and headers. Every contradiction becomes a fact, and each check reports the
-- facts of its kind, so that nothing is said twice and nothing is lost between two checks.

local footprint = require "qspec.footprint"
local holdings = require "qspec.holdings"

local M = {}

---@class qspec.Fact
---@field kind "fell_back"|"unrequested"|"missing"|"shape"|"companion"|"orphan"|"misread"
---@field module string|nil
---@field key string|nil tensor or parameter concerned
---@field found string
---@field wanted string
---@field hint string|nil

local function dimensions(shape)
  if #shape == 0 then return "scalar" end
  return table.concat(shape, " x ")
end

local function describe(entry)
  return entry.dtype .. " [" .. dimensions(entry.shape) .. "]"
end

local function same_shape(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

local function claiming_layout(formats, holding)
  for _, format in ipairs(formats) do
    for _, layout in ipairs(format.layouts or {}) do
      if layout.claims(holding) then return layout, format end
    end
  end
end

local Census = {}
Census.__index = Census

function Census:fact(kind, module, fields)
  fields.kind, fields.module = kind, module and module.name
  self.facts[#self.facts + 1] = fields
end

-- A stored tensor against what it should be; returns whether it is there and right.
function Census:compare_entry(kind, module, suffix, entry, wanted_dtype, wanted_shape)
  local wanted = wanted_dtype .. " [" .. dimensions(wanted_shape) .. "]"
  if not entry then
    self:fact(kind, module, { key = suffix, found = "missing", wanted = wanted })
    return false
  end
  if entry.dtype == wanted_dtype and same_shape(entry.shape, wanted_shape) then return true end
  self:fact(kind, module, { key = suffix, found = describe(entry), wanted = wanted })
  return false
end

local FLOATS = { F16 = true, BF16 = true, F32 = true, F64 = true }

function Census:dense_parameter(row, module, parameter, holding)
  local entry = holding.tensors[parameter.name]
  if not entry then
    if module.tied_to then return self:tied_parameter(row, module, parameter) end
    self:fact("missing", module, { key = parameter.name, found = "missing",
      wanted = "[" .. dimensions(parameter.shape) .. "]",
      hint = "transformers would fill it with random values" })
    row.status = "missing"
    return
  end
  local dtype = entry.torch_dtype
  if FLOATS[entry.dtype] then
    dtype = footprint.dense_dtype(self.architecture, module.name, self.dtype or entry.torch_dtype)
  end
  row.own_tensors = true
  row.parameters[parameter.name] = { dtype = dtype, shape = entry.shape,
    stored = entry.torch_dtype }
  row.footprint = row.footprint + entry.bytes
    * (dtype == entry.torch_dtype and 1 or self.itemsize[dtype] / self.itemsize[entry.torch_dtype])
  if not same_shape(entry.shape, parameter.shape) then
    self:fact("shape", module, { key = parameter.name, found = describe(entry),
      wanted = "[" .. dimensions(parameter.shape) .. "]" })
    row.status = "mismatched"
  elseif not FLOATS[entry.dtype] then
    self:fact("misread", module, { key = parameter.name, found = describe(entry),
      wanted = "a floating dtype", hint = "packed codes without any companion" })
    row.status = "mismatched"
  end
end

function Census:tied_parameter(row, module, parameter)
  local target = self.by_name[module.tied_to]
  local shared = target and target.parameters[parameter.name]
  if shared then row.parameters[parameter.name] = shared end
end

function Census:add_companions(row, module, holding, layout)
  local state = layout.state(holding, self.checkpoint)
  local expected = { weight = true, bias = true }
  for _, companion in ipairs(layout.companions(holding, state, module)) do
    expected[companion.suffix] = true
    local entry = holding.tensors[companion.suffix]
    row.companions[companion.suffix] = entry and { dtype = entry.torch_dtype, shape = entry.shape }
    if not self:compare_entry("companion", module, companion.suffix, entry, companion.dtype,
        companion.shape) then
      row.status = "broken"
    end
  end
  for _, problem in ipairs(layout.state_problems(holding, self.checkpoint, module)) do
    self:fact("companion", module, problem)
    row.status = "broken"
  end
  for _, suffix in ipairs(holding.list) do
    if not expected[suffix] and not suffix:find("^weight%.quant_state%.") then
      self:fact("companion", module, { key = suffix, found = describe(holding.tensors[suffix]),
        wanted = "no such tensor", hint = "not a companion of " .. layout.name })
    end
  end
end

function Census:packed_module(row, module, holding, layout, format)
  row.class, row.format, row.layout = layout.class, format.name, layout
  row.logical_dtype = layout.logical_dtype(holding, self.checkpoint)
  row.own_tensors = true
  local weight = layout.weight(holding, module)
  if not self:compare_entry("companion", module, "weight", holding.tensors.weight, weight.dtype,
      weight.shape) then
    row.status = "broken"
  end
  local entry = holding.tensors.weight
  if entry then
    row.parameters.weight = { dtype = entry.torch_dtype, shape = entry.shape,
      stored = entry.torch_dtype }
    row.footprint = row.footprint + entry.bytes
  end
  self:add_companions(row, module, holding, layout)
  for _, parameter in ipairs(module.parameters) do
    if parameter.name ~= "weight" then self:dense_parameter(row, module, parameter, holding) end
  end
end

function Census:dense_module(row, module, holding)
  for _, parameter in ipairs(module.parameters) do
    self:dense_parameter(row, module, parameter, holding)
  end
  local weight = row.parameters.weight
  row.logical_dtype = weight and weight.dtype
  local expected = {}
  for _, parameter in ipairs(module.parameters) do expected[parameter.name] = true end
  for _, suffix in ipairs(holding.list) do
    if not expected[suffix] then
      self:fact("orphan", module, { key = suffix, found = describe(holding.tensors[suffix]),
        wanted = "no such tensor", hint = module.class .. " has no '" .. suffix .. "'" })
    end
  end
end

local function request_name(request)
  return request and request.type or "dense"
end

function Census:judge(row, module)
  if not (self.requested and self.requested.layout) then return end
  if row.request and not row.format and row.status ~= "missing" then
    self:fact("fell_back", module, { found = module.class .. " " .. tostring(row.logical_dtype),
      wanted = row.request.layout.class .. " " .. row.request.type,
      hint = "no exclusion protects it: it fell back to full precision" })
    row.status, row.reason = "fell_back", "stayed dense without being excluded"
  elseif row.format and not row.request then
    self:fact("unrequested", module, { found = row.class .. " " .. row.logical_dtype,
      wanted = module.class .. (self.dtype and " " .. self.dtype or ""),
      hint = row.reason or ("a module of class %s is never converted"):format(module.class) })
    row.status = "unrequested"
  end
end

function Census:add(module)
  local holding = self.holdings[module.name]
  local row = { name = module.name, class = module.class, kind = module.kind,
    tied_to = module.tied_to, module = module, holding = holding, parameters = {},
    companions = {}, footprint = 0, stored = 0, status = "ok" }
  row.request, row.reason = self.requests.of(module)
  row.requested = request_name(row.request)
  self.by_name[module.name] = row
  self.modules[#self.modules + 1] = row
  for _, suffix in ipairs(holding.list) do
    row.stored = row.stored + holding.tensors[suffix].bytes
  end
  local layout, format
  if #module.shape == 2 then layout, format = claiming_layout(self.formats, holding) end
  if layout then
    self:packed_module(row, module, holding, layout, format)
  else
    self:dense_module(row, module, holding)
  end
  self:judge(row, module)
end

local ITEMSIZE = { float64 = 8, float32 = 4, float16 = 2, bfloat16 = 2 }

--- Takes the census of a checkpoint.
---@param o table {architecture, modules, checkpoint, formats, requests, requested?, dtype?}
---@return table census {modules, facts, by_name, requests, orphans}
function M.take(o)
  local census = setmetatable({ architecture = o.architecture, checkpoint = o.checkpoint,
    formats = o.formats, requests = o.requests, requested = o.requested, dtype = o.dtype,
    modules = {}, by_name = {}, facts = {}, itemsize = ITEMSIZE }, Census)
  census.holdings, census.orphans =
    holdings.group(o.architecture, o.modules, o.checkpoint:tensors())
  for _, module in ipairs(o.modules) do census:add(module) end
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
