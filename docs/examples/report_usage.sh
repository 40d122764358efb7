#!/usr/bin/env bash
# Reports usage, asks what is left, and reads the reports back, page by page.
# Needs URL, TOKEN and SUBSCRIPTION in the environment, and jq.
set -euo pipefail

api() { # METHOD PATH [curl options]: prints the body; a problem goes to standard error and fails
  local method=$1 path=$2 answer status
  shift 2
  answer=$(curl -sS -X "$method" "$URL/marketplace/subscriptions/$SUBSCRIPTION$path" \
    -H "Authorization: Bearer $TOKEN" -w '\n%{http_code}' "$@")
  status=${answer##*$'\n'} answer=${answer%$'\n'*}
  if [ "$status" -ge 400 ]; then
    jq -r '"\(.status) \(.code): \(.detail)"' <<<"$answer" >&2
    return 1
  fi
  printf '%s\n' "$answer"
}

json='Content-Type: application/json'
key="curl-$(date +%s%N)"
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
event=$(jq -n --arg key "$key" --arg at "$now" \
  '{key: $key, metric: "totalScans", quantity: "1.5", at: $at, tags: {CostCenter: "4711"}}')

# One event or up to 100. Sending the same again is safe: it is a duplicate.
api POST /meter -H "$json" -d "{\"events\": [$event]}" | jq -c '.results[0] | {key, status}'
api POST /meter -H "$json" -d "{\"events\": [$event]}" | jq -c '.results[0] | {key, status}'

# Another event under the same key is refused, with a code to program by.
if api POST /meter -H "$json" -d "$(jq '.quantity = "2"' <<<"$event")"; then exit 1; fi

api POST /entitlements/check -H "$json" -d '{"metric": "totalScans", "quantity": "1"}' \
  | jq -c '{allowed, used: .usage.used, remaining: .usage.remaining}'

cursor='' count=0
while :; do
  page=$(api GET "/usage/events?limit=2${cursor:+&cursor=$cursor}")
  count=$((count + $(jq '.items | length' <<<"$page")))
  cursor=$(jq -r '.nextCursor // empty' <<<"$page")
  [ -n "$cursor" ] || break
done
echo "$count reports this month"
