-- Gives a value a new lifetime: ARGV[1] milliseconds, or '' for ever. ARGV[2] is the margin.
if not alive(KEYS[1], tonumber(ARGV[2])) then
  return 0
end
if ARGV[1] ~= '' then
  return redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
redis.call('PERSIST', KEYS[1])
return 1
