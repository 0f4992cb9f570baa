-- vocab.json, merges.txt and vocab.txt.

local json = require "host.json"
local outcome = require "qspec.outcome"
local printable = require "qspec.printable"

local M = {}

local MOST_IDS = 2 ^ 31

local function refuse(message, where, hint)
  error(outcome.error("checkpoint", message, hint, where), 0)
end

--- vocab.json: an object from token to id.
---@param folder qspec.Folder
---@param name string
---@return table<string, integer>
---@return integer size
function M.vocab(folder, name)
  local path, vocab = folder:file(name), folder:json(name)
  if type(vocab) ~= "table" or json.is_array(vocab) then refuse("this is no JSON object", path) end
  local size = 0
  for token, id in pairs(vocab) do
    if type(id) ~= "number" or id % 1 ~= 0 or id < 0 or id >= MOST_IDS then
      refuse(("the token '%s' has the id %s, wanted a whole number"):format(printable.line(token),
        tostring(id)), path)
    end
    size = size + 1
  end
  return vocab, size
end

local function lines(text)
  text = text:gsub("\r\n", "\n"):gsub("\r", "\n")
  if text:sub(-1) ~= "\n" then text = text .. "\n" end
  return text:gmatch("([^\n]*)\n")
end

--- merges.txt: two tokens a line. Lines that begin with #version are passed over.
---@param folder qspec.Folder
---@param name string
---@return { [1]: string, [2]: string }[]
function M.merges(folder, name)
  local path, merges, number = folder:file(name), {}, 0
  for line in lines(folder:text(name)) do
    number = number + 1
    if line ~= "" and line:sub(1, 8) ~= "#version" then
      local left, right = line:match("^([^ ]+) ([^ ]+)$")
      if not left then
        refuse(("found '%s', wanted two tokens with a space between"):format(
          printable.line(line:sub(1, 60))), ("%s:%d"):format(path, number))
      end
      merges[#merges + 1] = { left, right }
    end
  end
  return merges
end

--- vocab.txt: a token a line, whose number from 0 is its id; of equal ones the last.
---@param folder qspec.Folder
---@param name string
---@return table<string, integer>
---@return integer size
function M.word_list(folder, name)
  local vocab, id, size = {}, 0, 0
  for token in lines(folder:text(name)) do
    if not vocab[token] then size = size + 1 end
    vocab[token], id = id, id + 1
  end
  return vocab, size
end

return M
