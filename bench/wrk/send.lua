-- POST /v1/messages: another user, conversation and content with each request.
-- Arguments: a file with one token a line, then the conversation ids.
dofile(debug.getinfo(1, "S").source:sub(2):match(".*/") .. "figures.lua")
local texts = {
  "has anyone tried the new kernel on a laptop with two graphics cards?",
  "yes", "it works here, but the fan runs all the time",
  "try sudo apt-get install --reinstall and then look at the last lines of the log, it usually says what is missing",
  "thanks, that was it", "no idea what you mean, sorry", "Grüße aus Köln, 北京 and Αθήνα",
}
local tokens, conversations, thread_number, sent = {}, {}, 0, 0

function setup(thread)
  thread:set("number", thread_number)
  thread_number = thread_number + 1
end

function init(arguments)
  for line in io.lines(arguments[1]) do tokens[#tokens + 1] = "Bearer " .. line end
  for index = 2, #arguments do conversations[#conversations + 1] = arguments[index] end
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  sent = sent + 1
  wrk.headers["Authorization"] = tokens[sent % #tokens + 1]
  return wrk.format("POST", nil, nil, string.format('{"conversation_id":"%s","content":"%s (%d.%d)"}',
    conversations[sent % #conversations + 1], texts[sent % #texts + 1], number, sent))
end
