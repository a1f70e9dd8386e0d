-- Stores ARGV[3] for ARGV[4] if the key still holds ARGV[1] with the stamp ARGV[2].
if not same(KEYS[1], ARGV[1], ARGV[2]) then
  return 0
end
return set(KEYS[1], ARGV[3], ARGV[4])
