local system = require "host.system"
local test = require "test"
local device = require "qspec.device"

local function has_driver()
  for _, path in ipairs { "/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg" } do
    if system.kind(path) then return true end
  end
  return false
end

local function failure_of(f)
  local ok, failure = pcall(f)
  test.ok(not ok, "nothing was raised")
  return failure
end

test("auto takes the CPU and says why", function()
  local chosen = device.choose("auto", false)
  test.equal(chosen.name, "cpu")
  test.equal(chosen.reason, has_driver() and "--device cuda takes the GPU"
    or "there is no NVIDIA driver on this machine")
end)

test("a CPU that is asked for is the CPU", function()
  test.equal(device.choose("cpu", false).name, "cpu")
end)

test("a device that is none is refused", function()
  for _, text in ipairs { "tpu", "cuda:x", "cuda:0:1", "" } do
    local failure = failure_of(function() device.choose(text, false) end)
    test.equal(failure.kind, "usage", text)
  end
end)

test("asking for the CPU and requiring a GPU is a contradiction", function()
  local failure = failure_of(function() device.choose("cpu", true) end)
  test.equal(failure.kind, "usage")
end)

test("a GPU that is asked for where there is no driver is a device error", function()
  if has_driver() then test.skip("there is a driver") end
  for _, text in ipairs { "cuda", "cuda:0", "auto" } do
    local failure = failure_of(function() device.choose(text, true) end)
    test.equal(failure.kind, "device", text)
    test.equal(failure.message, "there is no NVIDIA driver on this machine", text)
  end
end)
