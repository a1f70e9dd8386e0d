-- PTTL of a value; -2 where there is none. ARGV[1] is the margin.
if not alive(KEYS[1], tonumber(ARGV[1])) then
  return -2
end
return redis.call('PTTL', KEYS[1])
