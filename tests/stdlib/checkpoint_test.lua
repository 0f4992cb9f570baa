local checkpoint = require "host.checkpoint"
local system = require "host.system"
local test = require "test"

local FOLDER = system.home() .. "/examples/models/bloom-tiny-bnb-nf4"

local function opened() return checkpoint.open(FOLDER) end

local ABSMAX = "transformer.h.0.mlp.dense_4h_to_h.weight.absmax"

test("tensors are listed with what the file says of them", function()
  local entry = opened():find(ABSMAX)
  test.equal({ entry.dtype, entry.torch_dtype, entry.shape, entry.bytes },
    { "F32", "float32", { 4096 }, 16384 })
  test.equal(entry.file, FOLDER .. "/model.safetensors")
end)

test("tensors and header sum to the size of the file", function()
  local model = opened()
  local file = model:files()[1]
  local sum = file.header_bytes
  for _, entry in ipairs(model:tensors()) do sum = sum + entry.bytes end
  test.equal(sum, file.size)
end)

test("a tensor that is not there is found as nil", function()
  test.equal(opened():find("nope"), nil)
end)

test("bytes are those of the file", function()
  local model = opened()
  local entry = model:find(ABSMAX)
  local text = system.read(entry.file, 2 ^ 26)
  test.equal(model:bytes(ABSMAX), text:sub(entry.offset + 1, entry.offset + entry.bytes))
end)

test("bytes of more than asked for are refused with both numbers", function()
  test.raises("has 16384 bytes, more than the 16383", function()
    opened():bytes(ABSMAX, 16383)
  end)
end)

test("an overlay changes what it shows and not the file", function()
  local model = opened()
  local overlay = model:overlay()
  overlay:put(ABSMAX, "BF16", { 2, 1 }, "abcd")
  overlay:put("new", "U8", {}, "x")
  overlay:drop("lm_head.weight")
  test.equal(overlay:bytes(ABSMAX), "abcd")
  test.equal(overlay:find(ABSMAX).shape, { 2, 1 })
  test.equal(overlay:find(ABSMAX).file, nil)
  test.equal(overlay:bytes("new"), "x")
  test.equal(overlay:find("lm_head.weight"), nil)
  test.equal(model:find(ABSMAX).dtype, "F32")
  test.equal(#overlay:overlay():tensors(), #overlay:tensors())
end)

test("a checkpoint on disk is not changed", function()
  test.raises("on disk is not changed", function() opened():put("x", "U8", { 1 }, "x") end)
  test.raises("on disk is not changed", function() opened():drop("x") end)
end)

test("a tensor whose bytes do not fit its shape is refused", function()
  test.raises(".", function() opened():overlay():put("x", "F32", { 2 }, "1234") end)
  test.raises(".", function() opened():overlay():put("x", "F32", { 2 ^ 40, 2 ^ 40 }, "1234") end)
  test.raises("a list of sizes", function() opened():overlay():put("x", "U8", { -1 }, "") end)
  test.raises("'f32' is no stored dtype", function()
    opened():overlay():put("x", "f32", { 1 }, "1234")
  end)
end)

test("an overlay outlives the checkpoint that it is over", function()
  local model = opened()
  local overlay = model:overlay()
  model:release()
  test.equal(#overlay:bytes(ABSMAX), 16384)
end)

test("a folder without a model is refused with the path", function()
  local err = test.raises(".", checkpoint.open, system.home() .. "/stdlib")
  test.ok(err.where:find("stdlib", 1, true) or err.message:find("stdlib", 1, true), tostring(err))
end)
