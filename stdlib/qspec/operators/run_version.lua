-- R2: the same checkpoint read by another version of a library.

return {
  id = "R2",
  name = "run_version",
  summary = "another version of a library, or another engine, reads the same files",
  details = [[
No file differs, so that nothing within one qspec can play it: two versions are compared by the
locks that each took (qspec lock --outputs), with qspec diff.]],
  applies = function()
    return nil, "one program has one version: qspec diff compares the locks that two took"
  end,
  doses = { "once" },
  play = function() return nil end,
}
