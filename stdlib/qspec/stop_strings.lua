-- Where a generation ends because a text was made: StopStringCriteria of transformers 5.17. A match
-- must overlap the last token, and may begin before it or end within it; tokens are joined as
-- bytes, so that half a character counts as what it is.

local json = require "host.json"

local M = {}

-- The text that is put before a token so that the decoder takes it as one from within a text.
local PREFIX = "abcdef"

local function has_type(decoder, name)
  if type(decoder) ~= "table" then return false end
  if decoder.type == name then return true end
  for _, value in pairs(decoder) do
    if has_type(value, name) then return true end
  end
  return false
end

-- GPT-2's bytes_to_unicode: bytes that are printable stand for themselves, the others for the code
-- points from 256 on, in their order.
local function byte_level_bytes()
  local bytes, others = {}, 0
  for byte = 0, 255 do
    local printable = byte >= 33 and byte <= 126 or byte >= 161 and byte <= 172 or byte >= 174
    local code = printable and byte or 256 + others
    if not printable then others = others + 1 end
    local written = code < 128 and string.char(code)
      or string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64)
    bytes[written] = string.char(byte)
  end
  return bytes
end

local function of_byte_level()
  local bytes = byte_level_bytes()
  return function(token)
    local text = {}
    for character in token:gmatch("[%z\1-\127\194-\244][\128-\191]*") do
      if not bytes[character] then return nil end
      text[#text + 1] = bytes[character]
    end
    return table.concat(text)
  end
end

local function of_byte_fallback()
  return function(token)
    local hex = token:match("^<0x(%x%x)>$")
    return hex and string.char(tonumber(hex, 16))
  end
end

-- The bytes of tokens that the vocabulary writes in another way, by how the decoder reads them.
local function raw_bytes(tokenizer_file)
  local decoder = tokenizer_file and json.read(tokenizer_file).decoder
  if has_type(decoder, "ByteFallback") then return of_byte_fallback(), true end
  if has_type(decoder, "ByteLevel") then return of_byte_level(), true end
  return function() end, false
end

local function characters(text)
  return select(2, text:gsub("[^\128-\191]", ""))
end

--- Looks for stop strings at the end of token ids.
---@param tokenizer table qspec.Tokenizer
---@param strings string[]
---@param tokenizer_file string|nil its tokenizer.json
---@return fun(ids: integer[], last: integer): boolean whether ids 1..last end in one of them
function M.matcher(tokenizer, strings, tokenizer_file)
  local raw, as_bytes = raw_bytes(tokenizer_file)
  local base, texts, most = tokenizer:encode(PREFIX, false), {}, 0
  for _, one in ipairs(strings) do most = math.max(most, as_bytes and #one or characters(one)) end
  local function text_of(id)
    if texts[id] == nil then
      local token = tokenizer:token(id)
      local text = token and raw(token)
      if token and not text then
        local ids = {}
        for i, first in ipairs(base) do ids[i] = first end
        ids[#ids + 1] = id
        local decoded = tokenizer:decode(ids, false)
        local _, last = decoded:find(PREFIX, 1, true)
        text = decoded:sub((last or 0) + 1)
      end
      texts[id] = text or false
    end
    return texts[id]
  end
  return function(ids, last)
    local tail, final = "", text_of(ids[last])
    for i = last, math.max(1, last - most + 1), -1 do
      local text = text_of(ids[i])
      if not text then break end  -- an id that the vocabulary lacks
      tail = text .. tail
    end
    for _, one in ipairs(strings) do
      local from = math.max(1, #tail - #(final or "") - #one + 2)
      if final and #final > 0 and tail:find(one, from, true) then return true end
    end
    return false
  end
end

return M
