-- Holds a lease for ARGV[3] milliseconds from now, if the key still holds its placeholder ARGV[1].
if not same(KEYS[1], ARGV[1], ARGV[2]) then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
