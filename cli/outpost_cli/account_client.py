"""The routes of a tenant's own account as typed methods: who one is, keys, tokens, secrets, the kill switch."""

from collections.abc import Iterator
from dataclasses import dataclass

from outpost_cli.answers import interpret
from outpost_cli.ids import check_id
from outpost_cli.json_fields import JsonObject, drop_absent
from outpost_cli.listing import iterate_list
from outpost_cli.models.account import Identity, IssuedKey, Key, Rotation, Token
from outpost_cli.models.kill_switch import KillSwitch
from outpost_cli.models.secret import Secret
from outpost_cli.transport import Transport

IF_A_NEW_KEY_IS_LOST = "See in `outpost keys list` whether there is a new key, revoke it, and run the command again."


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key is to be good for; None is no bound."""

    name: str
    scopes: tuple[str, ...]
    expires_in_seconds: int | None = None
    agents: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    monthly_budget_usd: float | None = None
    run_budget_usd: float | None = None
    run_tokens: int | None = None

    def to_document(self) -> JsonObject:
        return drop_absent(
            {
                "name": self.name,
                "scopes": [*self.scopes],
                "expiresInSeconds": self.expires_in_seconds,
                "agents": [*self.agents] or None,
                "repositories": [*self.repositories] or None,
                "monthlyBudgetUsd": self.monthly_budget_usd,
                "runBudgetUsd": self.run_budget_usd,
                "runTokens": self.run_tokens,
            }
        )


@dataclass(frozen=True, slots=True)
class AccountClient:
    """A tenant's account. An error answer is raised as a ServiceRefusal of `outpost_cli.errors`."""

    transport: Transport

    def who_am_i(self) -> Identity:
        answer = self.transport.call("GET", "/auth/whoami")
        return interpret(lambda: Identity.from_document(answer.data))

    def issue_token(self, scopes: tuple[str, ...] = ()) -> Token:
        """A token with these scopes, or with all that the key has."""
        answer = self.transport.call("POST", "/auth/token", body=drop_absent({"scopes": [*scopes] or None}))
        return interpret(lambda: Token.from_document(answer.data))

    def iterate_keys(self, *, limit: int | None) -> Iterator[Key]:
        """Keys newest first, page by page, until `limit` of them (None: all)."""
        return iterate_list(self.transport, "keys", Key.from_document, limit=limit)

    def get_key(self, key_id: str) -> Key:
        answer = self.transport.call("GET", self._key_path(key_id))
        return interpret(lambda: Key.from_document(answer.data))

    def create_key(self, wish: NewKey) -> IssuedKey:
        answer = self.transport.call("POST", "/keys", body=wish.to_document(), if_lost=IF_A_NEW_KEY_IS_LOST)
        return interpret(lambda: IssuedKey.from_document(answer.data))

    def revoke_key(self, key_id: str) -> Key:
        """The key, revoked; doing it again changes nothing more."""
        answer = self.transport.call("DELETE", self._key_path(key_id))
        return interpret(lambda: Key.from_document(answer.data))

    def rotate_key(self, key_id: str, *, grace_seconds: int | None = None) -> Rotation:
        """A new key like this one, which is good for the grace period still (None: as long as the service likes)."""
        path = f"{self._key_path(key_id)}/rotate"
        body = drop_absent({"graceSeconds": grace_seconds})
        if_lost = (
            f"See with `outpost keys show {key_id}` whether it is replaced. If it is, nobody has the new key's secret: "
            "rotate the new key while the old one is good. If not, run the command again."
        )
        answer = self.transport.call("POST", path, body=body, if_lost=if_lost)
        return interpret(lambda: Rotation.from_document(answer.data))

    def iterate_secrets(self, *, limit: int | None) -> Iterator[Secret]:
        """Secrets by name, page by page, until `limit` of them (None: all)."""
        return iterate_list(self.transport, "secrets", Secret.from_document, limit=limit)

    def put_secret(self, name: str, value: str) -> Secret:
        """Keeps the value; doing it again changes nothing more."""
        answer = self.transport.call("PUT", self._secret_path(name), body={"value": value})
        return interpret(lambda: Secret.from_document(answer.data))

    def delete_secret(self, name: str) -> JsonObject:
        """The secret as it was; its name alone where the answer was lost."""
        answer = self.transport.delete(self._secret_path(name))
        return {"name": name} if answer is None else answer.data

    def get_kill_switch(self) -> KillSwitch:
        answer = self.transport.call("GET", "/kill-switch")
        return interpret(lambda: KillSwitch.from_document(answer.data))

    def set_kill_switch(self, reason: str, *, stop_running: bool) -> KillSwitch:
        body: JsonObject = {"reason": reason, "stopRunning": stop_running}
        answer = self.transport.call("PUT", "/kill-switch", body=body)
        return interpret(lambda: KillSwitch.from_document(answer.data))

    def lift_kill_switch(self) -> KillSwitch:
        answer = self.transport.call("DELETE", "/kill-switch")
        return interpret(lambda: KillSwitch.from_document(answer.data))

    @staticmethod
    def _key_path(key_id: str) -> str:
        return f"/keys/{check_id(key_id, 'a key id', remedy='Give an id as `outpost keys list` shows it.')}"

    @staticmethod
    def _secret_path(name: str) -> str:
        remedy = "Give a provider, github, or an environment variable: `outpost secrets set --help`."
        return f"/secrets/{check_id(name, 'the name of a secret', remedy=remedy)}"
