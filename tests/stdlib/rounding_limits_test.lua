-- Limits of the check numerics, on weights that are in no fixture: what is rounded as a format
-- rounds must keep to them, whatever the weights look like.

local limits = require "qspec.rounding_limits"
local small_floats = require "qspec.layouts.small_floats"
local tensor = require "host.tensor"
local test = require "test"

local ROWS, COLUMNS = 96, 512

local function uniform() return math.random() - 0.5 end
local function normal()
  return math.sqrt(-2 * math.log(1 - math.random())) * math.cos(2 * math.pi * math.random())
end

local function laplace()
  local u = uniform()
  return (u < 0 and 1 or -1) * math.log(1 - 2 * math.abs(u))
end

-- Student's t with a few degrees of freedom: of its square no fourth moment is left.
local function student(freedom)
  return function()
    local sum = 0
    for _ = 1, freedom do sum = sum + normal() ^ 2 end
    return normal() / math.sqrt(sum / freedom)
  end
end

local WEIGHTS = {
  uniform = uniform, normal = normal, laplace = laplace, ["t of 5"] = student(5),
  ["t of 3"] = student(3),
  ["columns 8 times the others"] = function(_, column)
    return normal() * (column % 64 == 0 and 8 or 1)
  end,
  ["rows of different size"] = function(row) return normal() * 1.05 ^ row end,
}

local function weight_of(draw)
  local rows = {}
  math.randomseed(11)
  for row = 1, ROWS do
    rows[row] = {}
    for column = 1, COLUMNS do rows[row][column] = 0.02 * draw(row, column) end
  end
  return tensor.from(rows, "float32")
end

local function blocks_of(weight, size)
  return weight:reshape(weight:numel() / size, size)
end

local function largest(blocks)
  return blocks:abs():max(2):reshape(blocks:shape()[1], 1):maximum(1e-30)
end

local function integers(bits)
  local steps = 2 ^ (bits - 1) - 1
  return function(blocks)
    local scales = largest(blocks):div(steps)
    return blocks:div(scales):round():mul(scales)
  end
end

-- Rounds to the nearest of the values of e2m1, times `scales`.
local function e2m1(blocks, scales)
  local magnitude, result = blocks:div(scales):abs(), blocks:mul(0)
  for i = 2, 8 do
    local middle = (small_floats.e2m1[i] + small_floats.e2m1[i - 1]) / 2
    result = result:add(magnitude:gt(middle):to("float32")
      :mul(small_floats.e2m1[i] - small_floats.e2m1[i - 1]))
  end
  return result:mul(scales):mul(blocks:ge(0):to("float32"):mul(2):sub(1))
end

local function mxfp4(blocks)
  local exponents = largest(blocks):log():div(math.log(2)):floor():sub(2)
  return e2m1(blocks, exponents:mul(math.log(2)):exp())
end

local FORMATS = {
  { "int4 in groups of 32", { bits = 4, type = "int4", group_size = 32 }, integers(4) },
  { "int4 in groups of 128", { bits = 4, type = "int4", group_size = 128 }, integers(4) },
  { "int4 by row", { bits = 4, type = "int4" }, integers(4) },
  { "int3 in groups of 64", { bits = 3, type = "int3", group_size = 64 }, integers(3) },
  { "int2 in groups of 16", { bits = 2, type = "int2", group_size = 16 }, integers(2) },
  { "int8 by row", { bits = 8, type = "int8" }, integers(8) },
  { "mxfp4", { bits = 4, type = "mxfp4", group_size = 32, gain = small_floats.MX_GAIN }, mxfp4 },
  { "nvfp4", { bits = 4, type = "nvfp4", group_size = 16 }, function(blocks)
    return e2m1(blocks, largest(blocks):div(6))
  end },
}

-- The least SQNR among blocks of at least a quarter of the average power.
local function worst_block(rounded, blocks)
  local power, noise = blocks:mul(blocks):mean(2), rounded:sub(blocks):pow(2):mean(2)
  local average, worst = power:mean(), math.huge
  local powers, noises = power:tolist(power:numel()), noise:tolist(noise:numel())
  for i, value in ipairs(powers) do
    if value >= 0.25 * average then worst = math.min(worst, 10 * math.log10(value / noises[i])) end
  end
  return worst
end

for name, draw in pairs(WEIGHTS) do
  test("what formats round of weights that are " .. name .. " keeps to the limits", function()
    local weight = weight_of(draw)
    for _, format in ipairs(FORMATS) do
      local label, scheme, round = unpack(format)
      local size = scheme.group_size or COLUMNS
      local blocks = blocks_of(weight, size)
      local rounded = round(blocks)
      local result = rounded:compare(blocks)
      local worst, floor = worst_block(rounded, blocks), limits.block_db(scheme, size,
        result.sqnr_db)
      test.ok(worst >= floor, ("%s: a block at %.2f dB, limit %.2f"):format(label, worst, floor))
      local allowed = limits.gain(scheme, result.nmse, 0.03)
      test.ok(math.abs(result.gain - 1) <= allowed, ("%s: gain %.4f, allowed %.4f"):format(label,
        result.gain, allowed))
    end
  end)
end

test("a single outlier leaves a row what the limit of rows says, and no more", function()
  local row = {}
  for i = 1, 1024 do row[i] = i == 1 and 7 or 0.5 - 1e-6 end  -- each is rounded by half a step
  local blocks = tensor.from({ row }, "float32")
  local found = integers(4)(blocks):compare(blocks).sqnr_db
  test.ok(found >= limits.block_db({ bits = 4 }, 1024, 20), found)
  test.equal(limits.block_db({ bits = 8 }, 1024, 40), 10)
  test.near(limits.block_db({ bits = 4 }, 1024, 20), 10 * math.log10(588 / 1024), 1e-12)
end)

test("the floor of groups follows a baseline of outliers, and a zero point off by one does not",
  function()
    local weight = weight_of(WEIGHTS["columns 8 times the others"])
    local scheme = { bits = 4, type = "int4", group_size = 128 }
    local floor = limits.grouped_db(scheme, weight)
    local blocks = blocks_of(weight, 128)
    local scales = largest(blocks):div(7)
    local rounded = integers(4)(blocks)
    test.near(rounded:compare(blocks).sqnr_db - floor, 3, 1e-3)
    test.ok(rounded:add(scales):compare(blocks).sqnr_db < floor)
  end)

test("only integers in groups have such a floor", function()
  local weight = weight_of(normal)
  test.equal(limits.grouped_db({ bits = 4, type = "nf4", group_size = 64 }, weight), nil)
  test.equal(limits.grouped_db({ bits = 4, type = "int4", group_size = 100 }, weight), nil)
  test.equal(limits.grouped_db({ bits = 1, type = "int1", group_size = 64 }, weight), nil)
  test.ok(limits.grouped_db({ bits = 4, type = "int4", group_size = -1 }, weight) > 8)
end)
