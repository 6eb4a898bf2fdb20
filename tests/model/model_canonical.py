"""States that differ in nothing but how often a record was written are one state."""

from collections import defaultdict

from model_world import NO_RUN, Records, World


def canonical(world: World, records: Records) -> World:
    """The state with revisions counted anew: all that matters of one is whether it is the one that was read."""
    journal = world.torn.journal if world.torn else ()
    read = [entry[1] for entry in journal if _is_record(entry)]
    revisions: defaultdict[str, set[int]] = defaultdict(set)
    for number in (*read, *world.ledger.runs):
        if number != NO_RUN:
            revisions[records[number].run_id].add(records[number].revision)
    if all(max(known) == len(known) for known in revisions.values()):
        return world if world.at == 0 else world._replace(at=0)
    ranks = {
        (run_id, revision): rank
        for run_id, known in revisions.items()
        for rank, revision in enumerate(sorted(known), 1)
    }

    def again(number: int) -> int:
        if number == NO_RUN:
            return number
        record = records[number]
        return records.revised(number, ranks[record.run_id, record.revision])

    counted = tuple(("run", again(entry[1]), *entry[2:]) if _is_record(entry) else entry for entry in journal)
    return world._replace(
        at=0,
        ledger=world.ledger._replace(runs=tuple(again(number) for number in world.ledger.runs)),
        torn=world.torn and world.torn._replace(journal=counted),
    )


def _is_record(entry: object) -> bool:
    return isinstance(entry, tuple) and bool(entry) and entry[0] == "run"
