-- Packs a weight as the other weights of a checkpoint are packed, rounded to nearest.
--
-- Generic over layouts: the tensors are those that the layout lists for the request of a packed
-- module; scales are the largest magnitude of each group over the largest value that codes stand
-- for; and each code is the one that the layout itself decodes nearest to the weight. A format
-- that has a quantizer of its own is asked instead.

local codes_of = require "qspec.mutation.codes"
local nearest_code = require "qspec.mutation.nearest_code"
local parts = require "qspec.mutation.parts"
local shapes = require "qspec.shapes"
local StoredWeight = require "qspec.stored_weight"

local M = {}

local function tensor()
  return require "host.tensor"
end

-- A packed module to imitate.
local function donor_of(subject)
  for _, row in ipairs(subject.census.modules) do
    local usable = row.layout and row.status == "ok" and row.kind == "linear"
    if usable and (subject.format and subject.format.quantizer or codes_of.has_matrix(row)
        and parts.of(row).scales) then
      return row
    end
  end
end

--- Whether a weight can be packed as the checkpoint's own are.
function M.can_pack(subject)
  return donor_of(subject) ~= nil
end

-- The largest magnitude in each cell of a grid of scales over a weight [out, in]. Grids lie along
-- the output features or, as [groups, out], across them; a block may be cut off at the edge.
local function largest(weight, grid)
  local size, magnitudes = weight:shape(), weight:abs()
  local rows, columns = grid[1] or 1, grid[2] or 1
  if rows ~= size[1] and columns == size[1] then
    return largest(weight, { columns, rows }):t():contiguous()
  end
  local high, wide = math.ceil(size[1] / rows), math.ceil(size[2] / columns)
  local cells = {}
  for r = 1, rows do
    cells[r] = {}
    local top = (r - 1) * high + 1
    local band = magnitudes:narrow(1, top, math.min(high, size[1] - top + 1))
    for c = 1, columns do
      local left = (c - 1) * wide + 1
      cells[r][c] = band:narrow(2, left, math.min(wide, size[2] - left + 1)):max()
    end
  end
  return tensor().from(cells, "float32")
end

-- One row of scales per output feature is the usual case, and the cells are many.
local function largest_by_row(weight, grid)
  local size = weight:shape()
  local is_even = grid[1] == size[1] and #grid == 2 and size[2] % grid[2] == 0
  if not is_even then return largest(weight, grid) end
  return (weight:abs():reshape(grid[1], grid[2], size[2] / grid[2]):max(3))
end

local function as_scale(values, dtype)
  if dtype == "U8" then return values:to("float8_e8m0fnu"):view("uint8") end
  return values
end

-- A weight in the making: its tensors in the mutant's overlay.
local Draft = {}
Draft.__index = Draft

function Draft:put(suffix, value)
  self.mutant:store(self.module.name .. "." .. suffix, value)
end

-- The tensors as the layout sees them now.
function Draft:weight()
  local holding = { tensors = {}, list = {} }
  for _, wanted in ipairs(self.wanted) do
    local entry = self.mutant.stored:find(self.module.name .. "." .. wanted.suffix)
    if entry then
      holding.tensors[wanted.suffix] = entry
      holding.list[#holding.list + 1] = wanted.suffix
    end
  end
  return StoredWeight.new { layout = self.layout, module = self.module, holding = holding,
    checkpoint = self.mutant.stored, request = self.donor.request }
end

local TORCH = { I32 = "int32", I64 = "int64", U8 = "uint8", I8 = "int8", F16 = "float16",
  BF16 = "bfloat16", F32 = "float32", F8_E4M3 = "float8_e4m3fn", I16 = "int16" }

-- What a companion holds before scales are known: as the donor's, which has the same everywhere.
local function blank(draft, wanted, dtype)
  local donor = draft.donor
  local entry = donor.holding.tensors[wanted.suffix]
  local count, shape = shapes.count(wanted.shape), wanted.shape
  if wanted.suffix:find("g_idx") then
    local size = donor.weight.scheme.group_size
    local order = tensor().arange(0, count - 1):div(size):floor()
    return order:to("int32")
  elseif wanted.suffix:find("shape") then
    return tensor().from(draft.module.shape, "float32"):to("int64")
  elseif not wanted.codes and entry and not wanted.suffix:find("scale") then
    local first = tensor().read(draft.mutant.genuine.checkpoint, entry.name):flatten()
      :narrow(1, 1, 1)
    return first:index_select(1, tensor().arange(1, count):mul(0):add(1)):reshape(shape)
  elseif wanted.suffix:find("global") and entry then
    return tensor().read(draft.mutant.genuine.checkpoint, entry.name)
  end
  return tensor().zeros(shape, TORCH[dtype])
end

local function stored_dtype(draft, wanted)
  local entry = draft.donor.holding.tensors[wanted.suffix]
  return entry and entry.dtype
    or type(wanted.dtype) == "table" and wanted.dtype[1] or wanted.dtype
end

local function is_scale(draft, wanted)
  local entry = parts.of(draft.donor).scales
  return entry ~= nil and draft.donor.holding.tensors[wanted.suffix] == entry
end

function Draft:set_scales(values)
  for _, wanted in ipairs(self.wanted) do
    if is_scale(self, wanted) then
      local dtype = stored_dtype(self, wanted)
      local scales = as_scale(values, dtype)
      self:put(wanted.suffix, (dtype == "U8" and scales or scales:to(TORCH[dtype])):reshape(
        wanted.shape))
    end
  end
end

function Draft:set_codes(codes)
  local weight = self:weight()
  for _, wanted in ipairs(self.wanted) do
    if wanted.codes then self:put(wanted.suffix, self.layout.recode(weight, codes)) end
  end
end

-- What every element decodes to under one code.
function Draft:plane(code, shape)
  self:set_codes((tensor().zeros(shape, "float32") + code):to("uint8"))
  return nearest_code.decoded(self:weight())
end

function Draft:largest_value(shape, bits)
  local most = 0
  for code = 0, 2 ^ bits - 1 do
    local values = self:plane(code, shape):stats()
    if values.nan == 0 then most = math.max(most, values.absmax) end
  end
  return most
end

local function pack_generic(mutant, donor, module, weight)
  local scheme = donor.weight.scheme
  local request_scheme = donor.request and donor.request.scheme or scheme
  local draft = setmetatable({ mutant = mutant, donor = donor, module = module,
    layout = donor.layout }, Draft)
  draft.wanted = {}
  for _, wanted in ipairs(donor.layout.tensors(request_scheme, module, mutant.genuine.dtype)) do
    local has = donor.holding.tensors[wanted.suffix] ~= nil
    if has and not wanted.made then draft.wanted[#draft.wanted + 1] = wanted end
  end
  for _, wanted in ipairs(draft.wanted) do
    draft:put(wanted.suffix, blank(draft, wanted, stored_dtype(draft, wanted)))
  end
  local grid
  for _, wanted in ipairs(draft.wanted) do
    if is_scale(draft, wanted) then grid = wanted.shape end
  end
  draft:set_scales(tensor().zeros({ shapes.count(grid) }, "float32") + 1)
  local most = draft:largest_value(weight:shape(), scheme.bits)
  draft:set_scales(largest_by_row(weight, grid):div(most))
  local shape = weight:shape()
  draft:set_codes(nearest_code.search(weight, scheme.bits, function(code)
    return draft:plane(code, shape)
  end))
end

--- Stores a packed weight for a module, whose dense one the caller has taken away.
---@param mutant qspec.Mutant
---@param module table
---@param weight any qspec.Tensor [out, in]
function M.pack(mutant, module, weight)
  local donor = donor_of(mutant.genuine)
  local quantizer = mutant.genuine.format and mutant.genuine.format.quantizer
  local name = module.name .. ".weight"
  if quantizer then
    mutant:store(name, weight)
    quantizer.quantize(mutant.stored, mutant.stored:find(name),
      quantizer.options_of(donor.weight.scheme))
  else
    pack_generic(mutant, donor, module, weight:to("float32"))
  end
end

return M
