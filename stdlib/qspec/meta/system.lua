---@meta host.system

-- All of the outside world that scripts may touch.

---@class host.system
local system = {}

---@return table<string, string> versions of qspec and of what is built into it
function system.version() end

---The folder that holds stdlib/, specs/ and examples/.
---@return string path
function system.home() end

---@return string path of the running program
function system.program() end

---@return number seconds on a clock that only goes forward
function system.clock() end

---@return number seconds since the process began
function system.since_start() end

---Adds to the timeline; times as since_start gives them.
---@param name string
---@param began number
---@param ended number
function system.add_span(name, began, ended) end

---What took how long, in the engine's threads and elsewhere.
---@return table[] spans {name, began, seconds} in the order in which they ended
function system.timeline() end

---@return string time in UTC, as ISO 8601: "2026-01-31T12:00:00Z"
function system.now() end

---@param name string
---@return string? value of the environment variable
function system.env(name) end

---@param folder string
---@return string[]? names sorted; nil when it cannot be read
---@return string? reason
function system.list(folder) end

---@param path string links are followed
---@return "file"|"directory"|"other"|nil
function system.kind(path) end

---@param path string
---@return string path from the root, without "." and ".."
function system.absolute(path) end

---Raises when it is no regular file, or longer.
---@param path string
---@param max_bytes integer
---@return string text
function system.read(path, max_bytes) end

---Replaces the file, or leaves it as it is: never a part. An interrupt waits for it.
---@param path string
---@param text string
function system.write_atomic(path, text) end

---Adds a text at the end of a file, made when there is none, and lets it reach the disk. Texts of
---two processes do not mix.
---@param path string
---@param text string
function system.append(path, text) end

---Runs programs at once, with nothing to read and the standard error of this one. They end when
---this process does, and when `on_line` raises.
---@param commands string[][] a path and its words each
---@param on_line fun(number: integer, line: string) for each line that command `number` writes
---@return integer[] codes of exit
---@return integer[] signals that ended them; 0 for none
function system.run_together(commands, on_line) end

---Makes a folder, and those above it that are missing; one that is there stays.
---@param path string
function system.make_folder(path) end

---Raises when the system refuses: a full disk, a closed pipe.
---@param text string
function system.stdout(text) end

---@param text string
function system.stderr(text) end

---The next line of standard input, without its end; waits for it.
---@return string? line nil when there is no more
function system.read_line() end

---@param stream 0|1|2|nil standard input (0), output (1, the default) or error (2)
---@return boolean
function system.isatty(stream) end

---@param stream 1|2|nil
---@return integer columns of the terminal, COLUMNS when that is set, 80 when unknown
function system.columns(stream) end

---@param path string
---@return string digits 64, lower case
function system.sha256_file(path) end

---@param text string
---@return string digits 64, lower case
function system.sha256(text) end

---@return integer count that this process may use
function system.cpus() end

---@return integer total bytes
---@return integer available bytes, without swapping
function system.memory() end

---@return integer id of the process
function system.pid() end

---@param part string
---@return boolean mapped whether a file whose path holds `part` is mapped into the process
function system.loaded(part) end

---What the host has: for a test that compares it with these stubs.
---@param name string? a type ("qspec.Tensor") or a loaded module ("host.json")
---@return string[]? names of its methods or functions, sorted, nil when it is unknown; names of the
---types when nothing is asked for
function system.registered(name) end

return system
