-- AWQ's factors: what a norm or another weight takes back is no fault, all else is.

local compensated = require "qspec.compensated"
local tensor = require "host.tensor"
local test = require "test"

local WIDTH, HEIGHT = 8, 16

local function values(rows, columns, seed)
  local list = {}
  for r = 1, rows do
    list[r] = {}
    for c = 1, columns do list[r][c] = math.sin(seed + r * 3.7 + c * 1.3) + 0.01 * r end
  end
  return tensor.from(list, "float32")
end

local function ramp(count, first, step)
  local list = {}
  for i = 1, count do list[i] = first + step * i end
  return tensor.from(list, "float32")
end

-- A layer of a norm, up_proj [HEIGHT, WIDTH] and down_proj [WIDTH, HEIGHT], scaled as AWQ does:
-- columns of up against the norm, rows of up against columns of down.
local function layer(o)
  local norm, up, down = ramp(WIDTH, 1, 0.1), values(HEIGHT, WIDTH, 1), values(WIDTH, HEIGHT, 2)
  local into_norm, into_rows = ramp(WIDTH, 0.5, 0.2), ramp(HEIGHT, 0.7, 0.1)
  local stored = {
    norm = norm:div(into_norm):mul(o.norm or 1),
    up = up:mul(into_norm):div(into_rows:reshape(HEIGHT, 1)):mul(o.up or 1),
    down = down:mul(into_rows):mul(o.down or 1),
  }
  local references = { norm = norm, up = up, down = down }
  local rows = {}
  for _, name in ipairs { "norm", "up", "down" } do
    local layout = name ~= "norm" and { decode = function() return stored[name] end } or nil
    rows[#rows + 1] = { name = "m.0." .. name, kind = layout and "linear" or "norm", status = "ok",
      layout = layout, holding = { tensors = { weight = { name = name, shape = { WIDTH } } } } }
    rows[name] = rows[#rows]
  end
  local checkpoint = require("host.checkpoint").open(require("host.system").home()
    .. "/examples/models/bloom-tiny"):overlay()
  tensor.store(checkpoint, "norm", stored.norm)
  local subject = { census = { modules = rows }, checkpoint = checkpoint }
  return compensated.layer(subject, rows.up, function(row)
    return references[row.name:match("[^.]+$")]
  end), rows
end

test("factors that the norm and the rows before take back leave nothing", function()
  local made, rows = layer {}
  test.ok(made:compare(rows.up).sqnr_db > 90)
  test.ok(made:compare(rows.down).sqnr_db > 90)
  test.ok(made:explains(rows.norm))
end)

-- Of all candidates the nearest is taken, so that it is seen at most as the factor itself: twice
-- the weight is 0 dB away, and some other candidate may lie a little nearer.
test("a factor of one weight that no other takes back is left in the difference", function()
  local made, rows = layer { up = 2 }
  test.ok(made:compare(rows.up).sqnr_db < 10)
  test.ok(made:compare(rows.down).sqnr_db < 10)
end)

test("a norm that was scaled alone is not explained by the weights after it", function()
  local made, rows = layer { norm = 100 }
  test.ok(not made:explains(rows.norm))
  test.ok(made:compare(rows.up).sqnr_db < 20)
end)
