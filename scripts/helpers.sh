# What the README's tour and docs/recipes.md use: `. scripts/helpers.sh`, beside a `make run`.
#
#   api URL [CURL OPTION...]   a call to the Core API as the organisation's owner
#   show [CURL OPTION...] URL  any call; prints the answer's head and body
#   field PATH                 one value of the JSON on standard input, such as `demo.proxyUrl`
#   stack PATH                 one value of what the running stack says about itself
#   stand_in                   starts scripts/stand-in, which plays the providers, and sets STAND_IN
#   C                          URL of the organisation in the Core API

field() {
  python3 -c '
import json, sys
text = sys.stdin.read()
try:
    value = json.loads(text)
    for key in sys.argv[1].split("."):
        value = value[int(key) if isinstance(value, list) else key]
except (ValueError, LookupError, TypeError):
    sys.exit(f"no {sys.argv[1]} in: {text}")
print(value if isinstance(value, str) else json.dumps(value))' "$1"
}
stack() { field "$1" <"$STACK_FILE"; }
api() {
  curl -sS -w '\n' -H "Authorization: $(stack userToken)" -H 'Content-Type: application/json' "$@"
}
show() { curl -sS -i -w '\n\n' "$@"; }
# A coprocess: it ends with the shell, because its standard input does.
stand_in() {
  [ -z "${STAND_IN_PIPE_PID:-}" ] || return 0
  coproc STAND_IN_PIPE { exec scripts/stand-in; }
  read -r STAND_IN <&"${STAND_IN_PIPE[0]}"
}

STACK_FILE=${REQUESTROCKET_STACK:-.local/stack.json}
[ -f "$STACK_FILE" ] || { echo "no stack is running here: make run" >&2; return 1; }
C="$(stack coreApi)/clients/$(stack clientId)"
