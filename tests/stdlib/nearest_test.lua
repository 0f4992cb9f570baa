local test = require "test"
local nearest = require "qspec.nearest"

local CHECKS = { "memory", "layers", "dtypes", "config", "companions" }

test("finds the name with one letter wrong", function()
  test.equal(nearest("mamory", CHECKS), "memory")
end)

test("counts a swap of neighbours as one edit", function()
  test.equal(nearest("ab", { "ba" }, 1), "ba")
end)

test("takes letter case for no difference", function()
  test.equal(nearest("MEMORY", CHECKS), "memory")
end)

test("suggests nothing when nothing is close", function()
  test.equal(nearest("perplexity", CHECKS), nil)
end)

test("does not suggest a name that shares no letter", function()
  test.equal(nearest("a", { "b" }), nil)
end)

test("gives the closest of several", function()
  test.equal(nearest("layerz", { "players", "layers" }), "layers")
end)

test("breaks ties by the alphabet, whatever the order of candidates", function()
  test.equal(nearest("cat", { "hat", "bat" }), "bat")
  test.equal(nearest("cat", { "bat", "hat" }), "bat")
end)

test("keeps to the limit that it is given", function()
  test.equal(nearest("configs", CHECKS, 0), nil)
end)

test("answers at once for a name of a megabyte", function()
  local long = ("a"):rep(2 ^ 20)
  test.equal(nearest(long, { long .. "b" }), nil)
end)
