"""Answers as the run's id says: `FAILED`, `RUNNING-COMPLETED` for one after the other, `grant.FAILED` with a slot."""

import json
import tempfile
from pathlib import Path

import boto3

SEEN = Path(tempfile.gettempdir())

states = boto3.client("stepfunctions")


class ScriptBroken(Exception):
    """What the script asked for, and asks for again at every try."""


class Unavailable(Exception):
    """What the script asked for, by a name that passes."""


def handler(event, context):
    """What the next word of the run's script says, of the script for slots or the script for ends."""
    scripts, _, name = event["runId"].partition("_")
    slots, _, ends = scripts.rpartition(".")
    if event["source"] == "queue":
        return ask_for_slot(next_word(slots, f"slots-{name}"), event["token"])
    return finish(next_word(ends, f"ends-{name}"), event)


def next_word(script, name):
    """The last word is said for ever where it is the only one."""
    words = script.split("-")
    counter = SEEN / f"outpost-script-{name}"
    calls = int(counter.read_text()) if counter.exists() else 0
    counter.write_text(str(calls + 1))
    if calls + 1 >= len(words):
        counter.unlink()
    return words[min(calls, len(words) - 1)]


def ask_for_slot(word, token):
    """Answers the token, or does not."""
    if word == "broken":
        raise ScriptBroken("the script says so")
    if word == "unavailable":
        raise Unavailable("the script says so")
    if word == "grant":
        states.send_task_success(taskToken=token, output=json.dumps({"bootstrapToken": "slot"}))
    if word == "mumble":
        states.send_task_success(taskToken=token, output=json.dumps({}))
    if word == "refuse":
        states.send_task_failure(taskToken=token, error="Refused", cause="the script says so")


def finish(word, event):
    """The run's status, with an error where it ended badly."""
    if word == "broken":
        raise ScriptBroken("the script says so")
    if word == "unavailable":
        raise Unavailable("the script says so")
    heard = {"code": f"{word}_CODE", "message": json.dumps(event, sort_keys=True)}
    answers = {
        "RELAUNCH": {"status": "PENDING", "attempt": event["attempt"] + 1, "bootstrapToken": "next"},
        "SLOT": {"status": "PENDING", "attempt": event["attempt"], "bootstrapToken": "slot"},
        "COMPLETED": {"status": "COMPLETED", "attempt": event["attempt"], "error": None},
    }
    return {"runId": event["runId"], **answers.get(word, {"status": word, "attempt": event["attempt"], "error": heard})}
