/**
 * One token from each bucket, or none from any, in one step of Redis and by its clock alone. KEYS are the processes that
 * live, then the buckets; ARGV the buckets' tokens a millisecond and bursts in turn. Returns 1 or 0, how many processes
 * there are, then what is left in each bucket, as text: Redis cuts numbers to integers. All keys share a hash tag, so
 * that they are on one node of a cluster.
 */
export const takeTokensScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local left = {}
local allowed = 1
for i = 1, #KEYS - 1 do
  local rate, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local state = redis.call('HMGET', KEYS[i + 1], 'tokens', 'at')
  local tokens, at = tonumber(state[1]) or burst, tonumber(state[2]) or now
  if at > now then
    -- the clock was set back: without this the bucket would stay as it is until the clock is there again
    redis.call('HSET', KEYS[i + 1], 'at', string.format('%.3f', now))
    at = now
  end
  left[i] = math.min(burst, tokens + (now - at) * rate)
  if left[i] < 1 then allowed = 0 end
end
local reply = {allowed, redis.call('ZCARD', KEYS[1])}
for i = 1, #KEYS - 1 do
  if allowed == 1 then
    left[i] = left[i] - 1
    redis.call('HSET', KEYS[i + 1], 'tokens', string.format('%.6f', left[i]), 'at', string.format('%.3f', now))
    redis.call('PEXPIRE', KEYS[i + 1], math.ceil(tonumber(ARGV[2 * i]) / tonumber(ARGV[2 * i - 1])) + 1000)
  end
  reply[i + 2] = string.format('%.6f', left[i])
end
return reply`;

/** Notes that a process lives. ARGV: its id, and after how many milliseconds one counts as gone. */
export const noteProcessScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;
