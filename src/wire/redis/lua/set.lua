-- Stores for so many milliseconds, or '' for ever.
local function set(key, bytes, millis)
  if millis == '' then
    redis.call('SET', key, bytes)
  else
    redis.call('SET', key, bytes, 'PX', millis)
  end
  return 1
end
