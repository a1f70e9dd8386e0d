-- Removes the key if it still holds ARGV[1] with the stamp ARGV[2].
if not same(KEYS[1], ARGV[1], ARGV[2]) then
  return 0
end
return redis.call('UNLINK', KEYS[1])
