-- Weights whose rows and columns were multiplied by factors, against what they were made of.

local rescaled = require "qspec.rescaled"
local tensor = require "host.tensor"
local test = require "test"
local words = require "grouped_words"

local function reference()
  return tensor.from(words.matrix(16, 32, function(r, c) return words.noise(r, c) / 500 - 1 end))
end

local function spread(count, first)
  local factors = {}
  for i = 1, count do factors[i] = 2 ^ ((first + i) % 5 - 2) end
  return tensor.from(factors)
end

test("factors of rows and columns are no error", function()
  local weight = reference():mul(spread(16, 1):reshape(16, 1)):mul(spread(32, 3):reshape(1, 32))
  test.equal(rescaled.compare(weight, reference()).sqnr_db > 60, true)
  test.equal(weight:compare(reference()).sqnr_db < 6, true)
end)

test("an error in one group of a row is still one", function()
  local weight = reference():mul(spread(32, 3):reshape(1, 32))
  local group = tensor.from(words.matrix(16, 32, function(r, c)
    return r == 3 and c < 16 and 8 or 1
  end))
  test.equal(rescaled.compare(weight:mul(group), reference()).sqnr_db < 20, true)
end)

test("columns of zeros stay zeros and the rest is compared", function()
  local keep = tensor.from(words.matrix(1, 32, function(_, c) return c == 5 and 0 or 1 end))
  local weight = reference():mul(keep)
  test.equal(rescaled.compare(weight, weight).sqnr_db, 1 / 0)
end)
