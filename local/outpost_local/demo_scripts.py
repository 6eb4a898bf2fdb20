"""What the demo's runs do: scripts for the agent `shell`."""

CHANGE_FILES = r"""set -eu
echo "At work on $(git log -1 --format='%h')"
printf '\n## A note from the demo\n\nA run of Outpost wrote this line.\n' >> README.md
sleep 1
mkdir -p demo
printf 'print("Hello from a run of Outpost.")\n' > demo/hello.py
head -c 2048 /dev/urandom > demo/noise.bin
echo "Three files are changed; one of them is binary."
sleep 1
printf '<!doctype html>\n<title>Report</title>\n<p>From the demo.</p>\n' > "$OUTPOST_ARTIFACTS_DIR/report.html"
echo "The report is in the artifacts folder."
"""

NEVER_END = r"""set -eu
echo "Written before the time was up." > unfinished.txt
echo "This takes an hour; the time limit is half a minute."
sleep 3600
"""

WAIT_FOR_CANCEL = r"""set -eu
echo "Written before the cancel." > cancelled.txt
echo "Waiting to be cancelled."
sleep 3600
"""
