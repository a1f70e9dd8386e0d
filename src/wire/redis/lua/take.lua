-- Removes the key and returns what it held, if that is a value. ARGV[1] is the margin.
local held = alive(KEYS[1], tonumber(ARGV[1])) and redis.call('GET', KEYS[1])
redis.call('UNLINK', KEYS[1])
return held
