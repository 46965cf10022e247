#!/usr/bin/env bash
# Records a real run of `npm run demo` as docs/images/demo.svg.
#
# The script needs what the demo needs, and network access: it installs asciinema (PyPI) in a folder of the local environment's
# cache and runs svg-term-cli (npm). It fails without a picture if the demo fails or if the picture shows a path of this machine.
set -euo pipefail
cd "$(dirname "$0")/.."

recorder="${PERENNIAL_CACHE:-$HOME/.cache/perennial}/asciinema-2.4.0"
if [ ! -x "$recorder/bin/asciinema" ]; then
  python3 -m venv "$recorder"
  "$recorder/bin/pip" install --quiet asciinema==2.4.0
fi

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
npm run --silent build >/dev/null

# Pauses are cut to a second in the picture only. The times that the demo prints are real.
"$recorder/bin/asciinema" rec --quiet --cols 96 --rows 26 --idle-time-limit 1 \
  --command "echo '$ npm run demo'; npm run --silent demo || touch '$folder/failed'" "$folder/demo.cast" </dev/null
if [ -e "$folder/failed" ]; then
  echo 'The demo failed, so there is no picture.' >&2
  exit 1
fi

# One frame for every 200 ms: the spinner redraws more often, and each frame is text in the file.
node -e '
  const [header, ...lines] = require("node:fs").readFileSync(process.argv[1], "utf8").trim().split("\n");
  const frames = [];
  for (const [time, kind, text] of lines.map((line) => JSON.parse(line))) {
    const last = frames.at(-1);
    if (last && time - last[0] < 0.2) last[2] += text;
    else frames.push([time, kind, text]);
  }
  console.log([header, ...frames.map((frame) => JSON.stringify(frame))].join("\n"));
' "$folder/demo.cast" >"$folder/frames.cast"
npx --yes svg-term-cli@2.1.1 --in "$folder/frames.cast" --out "$folder/demo.svg" --window --no-cursor

for private in "$PWD" "$HOME" /home/ /Users/ "$(hostname)"; do
  if grep -qF -- "$private" "$folder/demo.svg"; then
    echo "The picture contains \"$private\", so it is not kept." >&2
    exit 1
  fi
done
mkdir -p docs/images
mv "$folder/demo.svg" docs/images/demo.svg
echo "docs/images/demo.svg: $(wc -c <docs/images/demo.svg) bytes"
