"""Finds the function for a request as API Gateway does."""

from collections.abc import Iterable
from dataclasses import dataclass

from outpost_local.template import ApiRoute


@dataclass(frozen=True)
class RouteMatch:
    """The route of a request, and what its path stands for."""

    route: ApiRoute
    path_parameters: dict[str, str]


class RouteTable:
    """Literal segments win over {name}, {name} over {name+}; of one path, its own method wins over ANY."""

    def __init__(self, routes: Iterable[ApiRoute]) -> None:
        self._routes = sorted(routes, key=_rank)

    def match(self, method: str, path: str) -> RouteMatch | None:
        """None when no path fits, or the fitting path has neither this method nor ANY."""
        fitting = [(route, _match_path(route.path, path)) for route in self._routes]
        found = [RouteMatch(route, parameters) for route, parameters in fitting if parameters is not None]
        resource = found[0].route.path if found else None
        methods = {match.route.method: match for match in found if match.route.path == resource}
        return methods.get(method) or methods.get("ANY")


def _rank(route: ApiRoute) -> list[int]:
    return [_rank_segment(segment) for segment in _split(route.path)]


def _rank_segment(segment: str) -> int:
    if segment.endswith("+}"):
        return 2
    return 1 if segment.startswith("{") else 0


def _match_path(pattern: str, path: str) -> dict[str, str] | None:
    wanted, given = _split(pattern), _split(path)
    parameters: dict[str, str] = {}
    for index, segment in enumerate(wanted):
        rest = given[index:]
        if not rest:
            return None
        if segment.endswith("+}"):
            return parameters | {segment[1:-2]: "/".join(rest)}
        if segment.startswith("{"):
            parameters[segment[1:-1]] = rest[0]
        elif segment != rest[0]:
            return None
    return parameters if len(given) == len(wanted) else None


def _split(path: str) -> list[str]:
    trimmed = path.strip("/")
    return trimmed.split("/") if trimmed else []
