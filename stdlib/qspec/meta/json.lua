---@meta host.json

-- JSON as Lua values. Objects and arrays are plain tables; which of the two a table is, and the
-- order of its keys, is remembered beside it, so that what was decoded is encoded as it was.
-- Refused on reading: keys that occur twice, text after the value, bytes that are not UTF-8,
-- nesting deeper than 64.

---@class host.json
---@field null userdata what null is; equal only to itself
local json = {}

---The kinds have the shape of the value; each leaf is "integer", "float", "string", "boolean",
---"null", or "inexact" for a whole number that a Lua number does not hold.
---@param text string
---@param name string? what errors call the text
---@return any value
---@return any kinds
function json.decode(text, name) end

---The value alone, in less time.
---@param text string
---@param name string? what errors call the text
---@return any value
function json.value(text, name) end

---@param text string
---@param name string?
---@return any kinds
function json.kinds(text, name) end

---@param path string
---@return any value
---@return any kinds
function json.read(path) end

---Whole numbers are written as integers unless `kinds` calls them floats; other numbers as the
---shortest text that reads back equal; NaN and infinities, which JSON lacks, as the texts "NaN",
---"Infinity" and "-Infinity". Keys keep the order of the file, new ones follow sorted.
---@param value any
---@param options { indent: integer?, sort: boolean?, kinds: any }?
---@return string text on one line unless `indent` is given
function json.encode(value, options) end

---Marks a list, so that it is written as [...] even when it is empty.
---@generic T
---@param list T[]? a new one unless given
---@return T[] list the same
function json.array(list) end

---@param value any
---@return boolean
function json.is_array(value) end

---@param object table
---@return string[] keys in the order in which they are written
function json.keys(object) end

return json
