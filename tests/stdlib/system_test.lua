local system = require "host.system"
local test = require "test"

test("a file that was written is read back", function()
  local path = test.tmpfile(".txt")
  system.write_atomic(path, "one\0two\n")
  test.equal(system.read(path, 100), "one\0two\n")
  test.equal(system.kind(path), "file")
  system.write_atomic(path, "")
  test.equal(system.read(path, 100), "")
end)

test("a file that is longer than asked for is refused with both sizes", function()
  local path = test.tmpfile(".txt")
  system.write_atomic(path, ("x"):rep(100))
  local err = test.raises("100", system.read, path, 99)
  test.ok(err.message:find("99", 1, true), err.message)
end)

test("a file that is not there is an input error", function()
  test.equal(test.raises(".", system.read, "/nowhere/file", 10).kind, "io")
end)

test("a folder is not read as a file", function()
  test.equal(test.raises(".", system.read, "/", 10).kind, "io")
end)

test("a device is not read as a file and does not hang", function()
  test.equal(test.raises(".", system.read, "/dev/zero", 10).kind, "io")
end)

test("a report cannot be written into a folder that is not there", function()
  test.equal(test.raises(".", system.write_atomic, "/nowhere/report.json", "x").kind, "io")
end)

test("the kind of what is not there is nil", function()
  test.equal(system.kind("/nowhere"), nil)
  test.equal(system.kind("/"), "directory")
  test.equal(system.kind("/dev/null"), "other")
end)

test("a folder's names are sorted", function()
  local names = system.list(system.home() .. "/examples/models")
  test.equal(names[1], "bloom-tiny")
  test.equal(names[2], "bloom-tiny-bnb-nf4")
end)

test("a folder that is not there is listed as nil with the reason", function()
  local names, reason = system.list("/nowhere")
  test.equal(names, nil)
  test.ok(reason:find("No such file"), reason)
end)

test("hashes are those of the standard", function()
  test.equal(system.sha256("abc"),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  local path = test.tmpfile(".bin")
  system.write_atomic(path, "abc")
  test.equal(system.sha256_file(path), system.sha256("abc"))
end)

test("an environment variable that is not set is nil", function()
  test.equal(system.env("QSPEC_SURELY_NOT_SET"), nil)
  test.ok(system.env("PATH"))
end)

test("time goes forward and the date is ISO 8601", function()
  local before = system.clock()
  test.ok(system.clock() >= before)
  test.ok(system.now():find("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$"), system.now())
end)

test("a path becomes absolute without dots", function()
  test.equal(system.absolute("/a/./b/../c"), "/a/c")
  test.equal(system.absolute("x"):sub(1, 1), "/")
end)

test("machine numbers are positive", function()
  local total, available = system.memory()
  test.ok(system.cpus() >= 1 and total > 0 and available > 0 and available <= total)
  test.ok(system.columns() > 0 and system.pid() > 1)
end)

test("only the three standard streams are terminals to ask about", function()
  test.raises("0 %(standard input%)", system.isatty, 3)
end)

test("what is mapped is known by part of its path", function()
  test.equal(system.loaded("libc"), true)
  test.equal(system.loaded("libsurelynot"), false)
end)

test("wrong arguments name the function and the position", function()
  test.raises("argument 1 of 'system.kind' is missing, wanted a string", system.kind)
  test.raises("argument 2 of 'system.read' is a string, wanted a number", system.read, "/", "x")
end)
