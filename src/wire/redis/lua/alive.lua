-- Whether a key holds a value: neither the placeholder of a lease, nor one that is only kept beyond its time, for the
-- last `margin` milliseconds of its stay. What another program keeps there as another type counts as a value.
local function alive(key, margin)
  local left = redis.call('PTTL', key)
  if left == -2 or (margin > 0 and left >= 0 and left <= margin) then
    return false
  end
  return redis.pcall('STRLEN', key) ~= 132 or not string.find(redis.call('GET', key), '^null[ \t]+$')
end
