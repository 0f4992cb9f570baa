-- The specs that ship, as far as their configurations say: what a model that is not on this
-- machine would be held against must at least fit its own architecture.

local glob = require "qspec.glob"
local footprint = require "qspec.footprint"
local spec = require "qspec.spec"
local system = require "host.system"
local test = require "test"
local Subject = require "qspec.subject"

local FOLDER = system.home() .. "/specs"

local function shipped()
  local specs = {}
  for _, file in ipairs(system.list(FOLDER)) do
    if file:find("%.lua$") then specs[#specs + 1] = spec.load(FOLDER .. "/" .. file) end
  end
  return specs
end

local function subject_of(model)
  return Subject.new { name = model.name, config = model.config, quantize = model.quantize }
end

-- Calls f(subject, declaration, model) for what the models with a config say of these checks.
local function each_declaration(checks, f)
  for _, loaded in ipairs(shipped()) do
    for _, model in ipairs(loaded.models) do
      for _, declaration in ipairs(model.config and model.declarations or {}) do
        if checks[declaration.name] then f(subject_of(model), declaration, model) end
      end
    end
  end
end

local function matching(subject, pattern)
  local matches, found = glob.compile(pattern), {}
  for _, module in ipairs(subject.modules) do
    if matches(module.name) then found[#found + 1] = module end
  end
  return found
end

test("every pattern of a shipped spec matches a module of its model", function()
  local seen = 0
  local checks = { layers = true, excluded = true, dtypes = true }
  each_declaration(checks, function(subject, declaration)
    for _, pattern in ipairs(declaration.params) do
      test.ok(#matching(subject, pattern) > 0, declaration.where .. ": " .. pattern)
      seen = seen + 1
    end
  end)
  test.ok(seen > 50, seen .. " patterns")
end)

test("the linears that a shipped spec wants converted are those that are converted", function()
  each_declaration({ layers = true }, function(subject, declaration)
    for _, pattern in ipairs(declaration.params) do
      for _, module in ipairs(matching(subject, pattern)) do
        local request = subject.requests.of(module)
        if module.kind == "linear" and declaration.params.class then
          test.equal({ module.name, request and request.class },
            { module.name, declaration.params.class })
        end
      end
    end
  end)
end)

test("what a shipped spec excludes is not asked for either", function()
  each_declaration({ excluded = true }, function(subject, declaration)
    for _, pattern in ipairs(declaration.params) do
      for _, module in ipairs(matching(subject, pattern)) do
        test.equal({ module.name, (subject.requests.of(module)) }, { module.name, nil })
      end
    end
  end)
end)

-- The footprints of a model of a shipped spec, in full precision and as quantized.
local function footprints(file, name)
  for _, model in ipairs(spec.load(FOLDER .. "/" .. file).models) do
    if model.name == name then
      local subject = subject_of(model)
      local function bytes(converted)
        return footprint.of_config(subject.architecture, subject.modules, subject.dtype, converted)
      end
      return bytes(function() end), bytes(function(module)
        return (subject.requests.of(module))
      end)
    end
  end
  error("no model " .. name)
end

test("transformers' own ratios of gpt2-xl are those of today with the masks of before", function()
  local masks = 48 * (1024 * 1024 + 2)  -- a layer: a bool of 1024 x 1024 and a scalar of float16
  local dense, fp4 = footprints("gpt2.lua", "gpt2-xl fp4")
  test.near((dense + masks) / (fp4 + masks), 3.3191854854152187, 1e-12)
  local _, int8 = footprints("gpt2.lua", "gpt2-xl int8")
  test.near((dense + masks) / (int8 + masks), 1.8720077507258357, 1e-12)
end)

test("transformers' own ratios of TinyLlama are today's with a table a layer", function()
  local before, today = 22 * 32 * 4 + 32 * 4, 2 * 32 * 4
  local dense, fp4 = footprints("llama.lua", "TinyLlama fp4")
  test.near((dense + before - today) / (fp4 + before - today), 2.9461410686392764, 1e-12)
  local _, int8 = footprints("llama.lua", "TinyLlama int8")
  test.near((dense + before - today) / (int8 + before - today), 1.7869331026479096, 1e-12)
end)

test("transformers' own ratio of bloom-560m in GPTQ is that of linears without shifts", function()
  local dense, gptq = footprints("bloom.lua", "bloom-560m gptq")
  test.near(dense / (gptq - 96 * 64), 1.664253062, 1e-9)
  local _, partly = footprints("bloom.lua", "bloom-560m gptq attention output dense")
  test.near(dense / (partly - 72 * 64), 1.577, 1e-3)
end)
