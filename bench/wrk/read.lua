-- GET of the paths in a file, one a line, in turn. Argument: that file.
dofile(debug.getinfo(1, "S").source:sub(2):match(".*/") .. "figures.lua")
local paths, sent = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do paths[#paths + 1] = wrk.format("GET", line) end
end

function request()
  sent = sent + 1
  return paths[sent % #paths + 1]
end
