-- The fencing number of a lock that this token holds, or nothing.
local function own(key, token)
  local held = redis.pcall('GET', key)
  if type(held) ~= 'string' or string.sub(held, 1, #token + 1) ~= token .. ':' then
    return false
  end
  return tonumber(string.sub(held, #token + 2))
end
