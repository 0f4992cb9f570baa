-- How many codes of a few bits lie in 32-bit words.

local M = {}

--- The words that so many codes take.
function M.words(codes, bits)
  return math.ceil(codes * bits / 32)
end

--- The bits with which so many codes fill so many words: what was asked for, where it does.
---@param words integer
---@param codes integer
---@param asked integer
---@return integer|nil
function M.of_words(words, codes, asked)
  if M.words(codes, asked) == words then return asked end
  for bits = 2, 8 do
    if M.words(codes, bits) == words then return bits end
  end
end

return M
