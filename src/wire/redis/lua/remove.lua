-- Removes all keys; says how many held a value. ARGV[1] is the margin.
local removed = 0
for _, key in ipairs(KEYS) do
  if alive(key, tonumber(ARGV[1])) then
    removed = removed + 1
  end
  redis.call('UNLINK', key)
end
return removed
