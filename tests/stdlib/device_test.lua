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

test("auto takes the CPU where there is no driver, and says so", function()
  if has_driver() then test.skip("there is a driver") end
  local chosen = device.choose("auto", false)
  test.equal(chosen.name, "cpu")
  test.equal(chosen.reason, "there is no NVIDIA driver on this machine")
end)

local GIB = 2 ^ 30

-- Runs `f` with a GPU that has so many free bytes, or whose context fails with `failure`.
local function with_gpu(free_bytes, f, failure)
  local genuine = package.loaded["host.gpu"]
  package.loaded["host.gpu"] = { facts = function()
    if failure then error(failure, 0) end
    return { name = "NVIDIA Test", free_bytes = free_bytes, memory_bytes = 80 * GIB }
  end }
  local ok, err = pcall(f)
  package.loaded["host.gpu"] = genuine
  if not ok then error(err, 0) end
end

local function model_of(bytes, quantize)
  return { name = "big", device = "cuda:0", baseline = { device = "cuda:0" }, quantize = quantize,
    stored = { files = function() return { { size = bytes / 2 }, { size = bytes / 2 } } end } }
end

local OPEN = { name = "cuda:0", reason = "", is_open = true }

test("auto takes a GPU that the largest model fits, and says what it takes", function()
  with_gpu(40 * GIB, function()
    local models = { model_of(GIB), model_of(13 * GIB) }
    local chosen = device.settle(OPEN, models, models)
    test.equal(chosen.name, "cuda:0")
    test.ok(not chosen.is_open)
    test.equal(chosen.reason,
      "NVIDIA Test: 'big' takes about 17.5 GB, and 42.9 GB of its 85.9 GB are free")
    test.equal(models[1].device, "cuda:0")
  end)
end)

test("auto leaves a model that does not fit to the CPU, its baseline too", function()
  with_gpu(10 * GIB, function()
    local model = model_of(13 * GIB)
    local chosen = device.settle(OPEN, { model }, { model })
    test.equal(chosen.name, "cpu")
    test.equal(chosen.reason, "'big' takes about 17.5 GB, and of NVIDIA Test only 10.7 GB of its "
      .. "85.9 GB are free")
    test.equal(model.device, "cpu")
    test.equal(model.baseline.device, "cpu")
  end)
end)

test("a model that is quantized on load takes less than it stores", function()
  with_gpu(10 * GIB, function()
    local model = model_of(13 * GIB, {})
    test.equal(device.settle(OPEN, { model }, { model }).name, "cuda:0")
  end)
end)

test("auto leaves small models, and checks on headers, to the CPU", function()
  with_gpu(40 * GIB, function()
    local model = model_of(2 ^ 20)
    test.equal(device.settle(OPEN, { model }, { model }).reason,
      "models of up to 268 MB are done on the CPU before a GPU has begun")
    test.equal(device.settle(OPEN, {}, { model }).reason, "no check reads weights")
  end)
end)

test("auto takes the CPU when the GPU cannot be begun, and says why", function()
  with_gpu(0, function()
    local model = model_of(GIB)
    local chosen = device.settle(OPEN, { model }, { model })
    test.equal(chosen.name, "cpu")
    test.equal(chosen.reason, "the driver is too old")
  end, { kind = "device", message = "the driver is too old", where = "", hint = "" })
end)

test("a device that was asked for is not settled again", function()
  local chosen = { name = "cuda:0", reason = "asked for" }
  test.ok(device.settle(chosen, {}, {}) == chosen)
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
