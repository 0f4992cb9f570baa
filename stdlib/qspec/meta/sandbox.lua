---@meta host.sandbox

-- What specs written by others run in.

---@class host.sandbox
local sandbox = {}

---A fresh table of all that a spec may use: an allow-list of Lua's own functions, bounded, without
---files, processes, environments, metatables, addresses and time.
---@param options { print: fun(text: string)? }? print writes to standard error unless given
---@return table
function sandbox.environment(options) end

---Compiles text. Compiled Lua, bytes that are not UTF-8 and more than 4 MiB are refused.
---@param text string
---@param name string "@spec:PATH" for a spec: a stop by a limit says its PATH:line
---@param environment table
---@return function? chunk
---@return string? message "name:line: what is wrong"
function sandbox.load(text, name, environment) end

---Calls f within limits. A stop by a limit cannot be caught by the script, and is an error of kind
---"spec". Calls nest; the limits of all of them hold.
---@param limits { steps: number, seconds: number, bytes: number } instructions; seconds, those in
---the engine apart; bytes of Lua's memory above what is in use
---@param f function
---@param ... any
---@return boolean passed
---@return any ... results, or the error
function sandbox.call(limits, f, ...) end

---An object for untrusted scripts: its methods cannot be replaced, its state not be reached.
---@param methods table
---@param state table
---@param metamethods table<string, function>? __tostring, __eq, __len, __call and operators; those
---of the first object of a class are kept
---@return userdata
function sandbox.object(methods, state, metamethods) end

---@param object any
---@return table? state nil for what sandbox.object did not make
function sandbox.state(object) end

return sandbox
