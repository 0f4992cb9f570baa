---@meta
-- What a check written in a spec receives: `run = function(ctx) ... end`.

---@class qspec.SpecContext
local Context = {}

--- A finding unless `found <operator> wanted` holds; NaN never does. Also measured in the report.
---@param what string what was measured
---@param found number|string|boolean
---@param operator "=="|"~="|"<"|"<="|">"|">="
---@param wanted number|string|boolean
---@param module string? the module concerned
---@return boolean held
function Context:expect(what, found, operator, wanted, module) end

--- Reports one fact that contradicts the spec. The check fails.
---@param finding { module: string?, key: string?, found: any, wanted: any, hint: string? }
function Context:finding(finding) end

--- Puts a value beside the verdict in the report.
---@param name string
---@param value any
function Context:measure(name, value) end

--- Puts a text beside the verdict that is not a finding.
---@param text string
function Context:note(text) end

--- Leaves the check as skipped.
---@param reason string
---@param cause "model"|"baseline"|"gpu"|nil what --require can demand
function Context:skip(reason, cause) end

--- Moves the progress line of long work.
---@param done integer
---@param total integer
---@param what string?
function Context:progress(done, total, what) end

--- The model under test.
---@return qspec.SpecModel
function Context:model() end

--- The full-precision model; skips the check when there is none.
---@return qspec.SpecModel
function Context:baseline() end

--- The modules of the model under test that hold parameters.
---@param pattern string? '*' matches any run of characters
---@return qspec.Module[]
function Context:modules(pattern) end

--- One module by its full name.
---@param name string
---@return qspec.Module
function Context:module(name) end

return Context
