-- Whether a key still holds these bytes and, if `stamp` is not '', still ends at that moment.
local function same(key, bytes, stamp)
  if redis.pcall('GET', key) ~= bytes then
    return false
  end
  return stamp == '' or redis.call('PEXPIRETIME', key) == tonumber(stamp)
end
