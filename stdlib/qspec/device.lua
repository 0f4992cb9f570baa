-- Which device the models run on, and why.

local outcome = require "qspec.outcome"
local system = require "host.system"
local units = require "qspec.units"

local M = {}

-- Where the NVIDIA driver shows itself: Linux, and Linux under Windows.
local DRIVER_SIGNS = { "/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg" }

-- A model up to this size has its verdict on the CPU before a GPU has begun.
local SMALL = 256 * 2 ^ 20
-- Of the stored bytes, what a model takes on a GPU: with room for what passes through, or less when
-- it is quantized on the way. And what LibTorch and the products take besides.
local SHARE_STORED, SHARE_QUANTIZED = 1.1, 0.5
local BESIDES = 2 * 2 ^ 30

local function has_driver()
  for _, path in ipairs(DRIVER_SIGNS) do
    if system.kind(path) then return true end
  end
  return false
end

-- The GPU of that number. Its context and LibTorch's CUDA libraries begin in the background where
-- there are kernels of our own, and are asked for here where there are none.
local function gpu(number)
  local own = require "host.gpu"
  local is_ready = has_driver() and not own.obstacle()
  if is_ready then own.begin(number) end
  local count = is_ready and own.count() or require("host.cuda").devices
  if number >= count then
    error(outcome.error("device", ("there is no GPU %d, this machine has %d"):format(number, count),
      count > 0 and ("cuda:0 to cuda:%d"):format(count - 1) or "--device cpu runs everything"), 0)
  end
  return "cuda:" .. number
end

local function on_cpu(reason)
  return { name = "cpu", reason = reason }
end

-- What `auto` says before it knows the models: the CPU, or a GPU that must still be settled on.
local function automatic()
  if not has_driver() then return on_cpu "there is no NVIDIA driver on this machine" end
  local obstacle = require("host.gpu").obstacle()
  if obstacle then return on_cpu("there is a GPU, but " .. obstacle) end
  local ok, name = pcall(gpu, 0)
  if not ok then return on_cpu(outcome.from(name).message) end
  return { name = name, reason = "", is_open = true }
end

--- Chooses a device for --device TEXT. A choice that `is_open` must be settled before it is said.
---@param text string auto, cpu or cuda[:N]
---@param gpu_required boolean|nil whether --require gpu was given
---@return table {name, reason, is_open?}
function M.choose(text, gpu_required)
  local number = text:match("^cuda:?(%d*)$")
  if text ~= "auto" and text ~= "cpu" and not number then
    error(outcome.error("usage", ("--device %s is no device"):format(text),
      "auto, cpu or cuda[:N]"), 0)
  end
  if number or (gpu_required and text == "auto") then
    return { name = gpu(tonumber(number) or 0), reason = "asked for" }
  end
  if gpu_required then
    error(outcome.error("usage", "--device cpu and --require gpu contradict each other",
      "leave one of them out"), 0)
  end
  if text == "cpu" then return on_cpu "asked for" end
  return automatic()
end

local function stored_bytes(subject)
  local bytes = 0
  for _, file in ipairs(subject.stored:files()) do bytes = bytes + file.size end
  return bytes
end

--- What a subject takes on a GPU.
---@param bytes number stored
---@param is_quantized boolean on load
---@return number bytes
function M.needed(bytes, is_quantized)
  return bytes * (is_quantized and SHARE_QUANTIZED or SHARE_STORED) + BESIDES
end

-- The largest of the subjects by what it takes. One that cannot be opened says so later.
local function largest(subjects)
  local most = { stored = 0, needed = 0 }
  for _, subject in ipairs(subjects) do
    local ok, bytes = pcall(stored_bytes, subject)
    local needed = ok and M.needed(bytes, subject.quantize and true or false) or 0
    if needed > most.needed then most = { name = subject.name, stored = bytes, needed = needed } end
  end
  return most
end

-- Why the CPU is better for these subjects, or nil and why the GPU is.
local function verdict(subjects, number)
  if #subjects == 0 then return "no check reads weights" end
  local most = largest(subjects)
  if most.stored <= SMALL then
    return ("models of up to %s are done on the CPU before a GPU has begun"):format(
      units.bytes(SMALL))
  end
  local ok, facts = pcall(require("host.gpu").facts, number)
  if not ok then return outcome.from(facts).message end
  local room = ("%s of its %s are free"):format(units.bytes(facts.free_bytes),
    units.bytes(facts.memory_bytes))
  local wanted = ("'%s' takes about %s"):format(most.name, units.bytes(most.needed))
  if most.needed > facts.free_bytes then
    return ("%s, and of %s only %s"):format(wanted, facts.name, room)
  end
  return nil, ("%s: %s, and %s"):format(facts.name, wanted, room)
end

local function place(subjects, name)
  for _, subject in ipairs(subjects) do
    subject.device = name
    if subject.baseline then subject.baseline.device = name end
  end
end

--- Settles a choice that is open for the subjects whose weights are read, and places all of them.
---@param chosen table as M.choose gives it
---@param readers table[] subjects whose weights will be read
---@param all table[] subjects that stand on the device until now
---@return table chosen {name, reason}
function M.settle(chosen, readers, all)
  if not chosen.is_open then return chosen end
  local against, reason = verdict(readers, tonumber(chosen.name:match("%d+")))
  if not against then return { name = chosen.name, reason = reason } end
  place(all, "cpu")
  return on_cpu(against)
end

return M
