-- Which device the model runs on, and why.

local outcome = require "qspec.outcome"

local M = {}

local NO_CUDA = "this build has no CUDA kernels (libqspec_cuda.so)"

--- Chooses a device for --device TEXT.
---@param text string auto, cpu or cuda[:N]
---@param gpu_required boolean whether --require gpu was given
---@return table {name, reason}
function M.choose(text, gpu_required)
  if text ~= "auto" and text ~= "cpu" and not text:find("^cuda:?%d*$") then
    error(outcome.error("usage", ("--device %s is no device"):format(text),
      "auto, cpu or cuda[:N]"), 0)
  end
  if text:sub(1, 4) == "cuda" or gpu_required then
    error(outcome.error("device", "no GPU can be used: " .. NO_CUDA,
      "--device cpu runs everything"), 0)
  end
  if text == "cpu" then return { name = "cpu", reason = "asked for" } end
  return { name = "cpu", reason = NO_CUDA }
end

return M
