-- Which tensors of a subject go to its GPU, and in which order: that of its modules, in which
-- checks and the quantizer go through them.

local holdings = require "qspec.holdings"

local M = {}

--- The number of the GPU that a subject runs on, nil for the CPU.
---@param subject table
---@return integer|nil
function M.gpu_of(subject)
  local number = subject.device:match("^cuda:(%d+)$")
  return number and tonumber(number)
end

-- What no kernel takes where it lies would only come back.
local function stays_there(subject)
  for _, layout in ipairs(subject.format and subject.format.layouts or {}) do
    if not layout.on_device then return false end
  end
  return not subject.gguf
end

local function names_of(entries, into)
  for _, entry in ipairs(entries) do into[#into + 1] = entry.name end
end

-- Smaller ones are read on the host too (states, codebooks): from there they are as quick.
local LEAST_BYTES = 4096

-- Entries of one module that are tensors of files, not experts put together from several.
local function stored_of(holding)
  local entries = {}
  for _, suffix in ipairs(holding.list) do
    local entry = holding.tensors[suffix]
    local is_of_file = entry.name and entry.file
    if is_of_file and entry.bytes >= LEAST_BYTES then entries[#entries + 1] = entry end
  end
  return entries
end

--- The names of the tensors that stay on the device, and of those that only pass through it: dense
--- weights that are quantized there, and all of a baseline.
---@param subject table
---@return string[] kept
---@return string[] passing
function M.plan(subject)
  local kept, passing = {}, {}
  local held = holdings.group(subject.architecture, subject.modules, subject.entries,
    subject.canonical)
  for _, module in ipairs(subject.modules) do
    local holding = held[module.name]
    local converted = subject.quantize and holding.tensors.weight and subject.requests.of(module)
    local passes = subject.is_baseline or converted
    names_of(stored_of(holding), passes and passing or kept)
  end
  return kept, passing
end

--- The subject's checkpoint with its tensors on their way to its GPU; as it is where none go there.
---@param subject table
---@return any checkpoint host.checkpoint
function M.begin(subject)
  local number = M.gpu_of(subject)
  local gpu = number and stays_there(subject) and require "host.gpu"
  if not gpu or not gpu.is_there() then return subject.stored end
  local kept, passing = M.plan(subject)
  return gpu.upload(subject.stored, number, kept, passing)
end

return M
