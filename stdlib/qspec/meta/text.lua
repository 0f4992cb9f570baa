---@meta host.text
-- Tokenizers as tokenizer.json describes them, and regular expressions over names.

local M = {}

--- Reads a tokenizer.json. Raises an error that names file and place for one that is malformed, or
--- that has a component which is not known here.
---@param path string
---@return qspec.Tokenizer
function M.tokenizer(path) end

--- Makes a tokenizer of the text of a tokenizer.json.
---@param json string
---@param where string names the text in errors
---@return qspec.Tokenizer
function M.tokenizer_of(json, where) end

--- Compiles a regular expression in the syntax of Python's re. Raises when it does not compile.
---@param pattern string
---@return qspec.Regex
function M.regex(pattern) end

---@class qspec.Tokenizer
local Tokenizer = {}

--- The token ids of a text, the same as Hugging Face tokenizers gives. Raises for text that is not
--- UTF-8.
---@param text string
---@param add_special_tokens boolean? true unless given: what the file's post-processor adds
---@return integer[]
function Tokenizer:encode(text, add_special_tokens) end

--- The text of token ids; ids that no token has are left out.
---@param ids integer[]
---@param skip_special_tokens boolean? false unless given
---@return string
function Tokenizer:decode(ids, skip_special_tokens) end

--- Distinct tokens, added ones included.
---@return integer
function Tokenizer:vocab_size() end

--- The id of a token as the vocabulary writes it; nil when there is none.
---@param token string
---@return integer?
function Tokenizer:id(token) end

--- A token as the vocabulary writes it; nil when no token has the id.
---@param id integer
---@return string?
function Tokenizer:token(id) end

--- Frees its memory now; using it afterwards raises.
function Tokenizer:release() end

---@class qspec.Regex
local Regex = {}

--- Whether it matches from the first byte on, wherever the match ends (Python's re.match).
---@param text string
---@return boolean
function Regex:matches_start(text) end

--- Frees its memory now; using it afterwards raises.
function Regex:release() end

return M
