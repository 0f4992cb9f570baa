-- Which device the model runs on, and why.

local outcome = require "qspec.outcome"
local system = require "host.system"

local M = {}

-- Where the NVIDIA driver shows itself: Linux, and Linux under Windows.
local DRIVER_SIGNS = { "/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg" }

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
  if has_driver() and own.is_there() then own.begin(number) end
  local count = has_driver() and own.count() or require("host.cuda").devices
  if number >= count then
    error(outcome.error("device", ("there is no GPU %d, this machine has %d"):format(number, count),
      count > 0 and ("cuda:0 to cuda:%d"):format(count - 1) or "--device cpu runs everything"), 0)
  end
  return "cuda:" .. number
end

--- Chooses a device for --device TEXT. `auto` takes the CPU until every check has been held against
--- it on a GPU.
---@param text string auto, cpu or cuda[:N]
---@param gpu_required boolean whether --require gpu was given
---@return table {name, reason}
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
  if text == "cpu" then return { name = "cpu", reason = "asked for" } end
  if not has_driver() then
    return { name = "cpu", reason = "there is no NVIDIA driver on this machine" }
  end
  return { name = "cpu", reason = "--device cuda takes the GPU" }
end

return M
