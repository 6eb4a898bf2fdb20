"""Finds the token with which a tenant's work may be pushed to a repository."""

from outpost.domain.secret import GIT
from outpost.domain.tenant import Tenant
from outpost.ports import GitHubApp, TenantSecrets, Vault


def find_push_token(
    tenant: Tenant, repo: str, *, secrets: TenantSecrets, vault: Vault, github_app: GitHubApp
) -> str | None:
    """The token, None where there is none. Raises Unavailable.

    What is the operator's (its GitHub App, limited to the repository, before its own token) writes only where the
    tenant's plan names the repositories that it may work on: else any tenant could name any other's.
    """
    plan = tenant.plan
    is_granted = plan.allowed_repositories is not None and not plan.own_secrets_required
    token = github_app.token_for(repo) if is_granted else None
    if token is None and secrets.get(tenant.tenant_id, GIT) is not None:
        token = vault.tenant_value(tenant.tenant_id, GIT)
    return token if token is not None or not is_granted else vault.platform_git()
