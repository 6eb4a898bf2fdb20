"""Runs that wait for a free slot: how each command shows them."""

QUEUED = {"runId": "01JZ0000000000000000000000", "status": "QUEUED", "queuePosition": 3}


def test_the_receipt_of_a_run_that_waits_says_its_place(outpost, service):
    service.on("POST", "/dispatch", service.data(QUEUED, status=201))
    assert outpost("dispatch", "x", "--agent", "shell").stdout == f"{service.run_id} QUEUED at queue position 3\n"


def test_waiting_goes_on_from_the_queue_to_the_end(outpost, service):
    service.on("POST", "/dispatch", service.data(QUEUED, status=201))
    service.on(
        "GET",
        f"/runs/{service.run_id}",
        service.data(service.make_run(status="QUEUED", queuePosition=2)),
        service.data(service.make_run(status="QUEUED", queuePosition=1)),
        service.data(service.make_run(status="PENDING")),
        service.data(service.make_run(status="COMPLETED")),
    )
    result = outpost("dispatch", "x", "--agent", "shell", "--wait")
    assert result.exit_code == 0
    assert [line.removeprefix(f"{service.run_id} ") for line in result.stderr.splitlines()[1:]] == [
        "QUEUED at queue position 2",
        "QUEUED at queue position 1",
        "PENDING",
    ]


def test_a_run_that_waits_is_listed_with_its_place(outpost, service):
    run = service.make_run(status="QUEUED", queuePosition=3)
    service.on("GET", "/runs", service.data({"runs": [run]}))
    assert outpost("runs").stdout.splitlines()[1].split()[:4] == [service.run_id, "QUEUED", "3", "shell"]


def test_a_run_that_waits_is_shown_with_its_place_and_its_patience(outpost, service):
    run = service.make_run(status="QUEUED", queuePosition=3, priority="high", queueTimeoutSeconds=5400)
    service.on("GET", f"/runs/{service.run_id}", service.data(run))
    shown = [line.split(maxsplit=1) for line in outpost("show", service.run_id).stdout.splitlines()]
    assert ["Queue", "position 3, waits at most 1h 30m"] in shown
    assert ["Priority", "high"] in shown


def test_a_run_that_has_left_the_queue_says_nothing_of_it(outpost, service):
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(status="RUNNING")))
    assert "waits at most" not in outpost("show", service.run_id).stdout
