"""A tenant's own settings: tokens, keys, secrets, workspaces, and the kill switch."""

from datetime import timedelta

from outpost.api.account import key_wish, kill_switch_reply, tenant_changer
from outpost.api.account_bodies import CreateKeyBody, KillSwitchBody, RotateKeyBody, TokenBody
from outpost.api.account_views import key_view, kill_switch_view, token_view
from outpost.api.application import Application, Reply
from outpost.api.queries import NoQuery
from outpost.api.request import Request
from outpost.api.secret_bodies import PutSecretBody
from outpost.api.secrets import delete_secret_reply, put_secret_reply
from outpost.api.times import time_text
from outpost.api.workspaces import workspace_view
from outpost.domain.api_key import Scope
from outpost.use_cases.create_key import create_key
from outpost.use_cases.delete_workspace import delete_workspace
from outpost.use_cases.issue_token import issue_token
from outpost.use_cases.rotate_key import revoke_key, rotate_key
from outpost.wiring import Wiring

wiring = Wiring.from_environment()
app = Application(wiring)
handler = app.handler


@app.route("POST", "/auth/token")
def post_token(request: Request) -> Reply:
    """Exchange the key for a token of a quarter of an hour."""
    request.query(NoQuery)
    asked = request.body(TokenBody).scopes
    scopes = None if asked is None else [Scope(name) for name in asked]
    return Reply(token_view(issue_token(request.caller, scopes, signing_key=wiring.signing_key, clock=wiring.clock)))


@app.route("POST", "/keys")
def post_keys(request: Request) -> Reply:
    """Make a key; its secret is shown here and never again."""
    request.query(NoQuery)
    wish = key_wish(request.body(CreateKeyBody))
    made = create_key(request.caller, wish, keyring=wiring.keyring, clock=wiring.clock, identifiers=wiring.identifiers)
    location = {"Location": f"{request.api_url}/keys/{made.key.key_id}"}
    return Reply({**key_view(made.key), "apiKey": made.secret}, status=201, headers=location)


@app.route("DELETE", "/keys/{id}")
def delete_key(request: Request) -> Reply:
    """Revoke a key: its next request is refused."""
    request.query(NoQuery)
    key = revoke_key(
        request.caller, request.id, keyring=wiring.keyring, clock=wiring.clock, identifiers=wiring.identifiers
    )
    return Reply(key_view(key))


@app.route("POST", "/keys/{id}/rotate")
def post_rotate(request: Request) -> Reply:
    """Replace a key, which lives on for its grace."""
    request.query(NoQuery)
    grace = timedelta(seconds=request.body(RotateKeyBody).grace_seconds)
    made, old = rotate_key(
        request.caller, request.id, grace, keyring=wiring.keyring, clock=wiring.clock, identifiers=wiring.identifiers
    )
    replaces = {"keyId": old.key_id, "expiresAt": time_text(old.expires_at)}
    location = {"Location": f"{request.api_url}/keys/{made.key.key_id}"}
    data = {**key_view(made.key), "apiKey": made.secret, "replaces": replaces}
    return Reply(data, status=201, headers=location)


@app.route("PUT", "/secrets/{name}")
def put_secret(request: Request) -> Reply:
    """Keep a secret; nobody can ask for its value again."""
    request.query(NoQuery)
    return put_secret_reply(request, request.body(PutSecretBody).value, wiring)


@app.route("DELETE", "/secrets/{name}")
def delete_secret(request: Request) -> Reply:
    """Delete a secret: what begins from now on does without it."""
    request.query(NoQuery)
    return delete_secret_reply(request, wiring)


@app.route("DELETE", "/workspaces/{id}")
def delete_one_workspace(request: Request) -> Reply:
    """Delete a persistent workspace."""
    request.query(NoQuery)
    deleted = delete_workspace(
        request.caller,
        request.id,
        workspaces=wiring.workspaces,
        files=wiring.files,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    return Reply(workspace_view(deleted))


@app.route("PUT", "/kill-switch")
def put_kill_switch(request: Request) -> Reply:
    """Let no work of the tenant begin, and end what runs where that is asked for."""
    request.query(NoQuery)
    return kill_switch_reply(request.caller, request.body(KillSwitchBody), wiring)


@app.route("DELETE", "/kill-switch")
def delete_kill_switch(request: Request) -> Reply:
    """Let work begin again; what waits gets its slots within a minute."""
    request.query(NoQuery)
    tenant = tenant_changer(request.caller, wiring).lift_kill_switch(request.caller.tenant_id)
    return Reply(kill_switch_view(tenant.kill_switch))
