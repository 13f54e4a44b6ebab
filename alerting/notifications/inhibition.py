"""Which alerts are not told because another one explains them.

Who is inhibited inhibits all the same: what explains the one explains the other. Only where alerts
inhibit each other, in a pair or a longer circle, and none from outside of it inhibits them, one is
told: the worst, then the one that fired first, then the first by name and labels. Within one
inhibition, what matches source and target is inhibited by nothing else that does, as in Alertmanager.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from alerting.notifications.matchers import Matchers, all_match
from alerting.rules import Severity

__all__ = ["Firing", "Inhibition", "inhibited"]

_RANKS: Final[Mapping[str, int]] = {each.value: each.rank for each in Severity}


class Inhibition(BaseModel):
    """While an alert that matches `source` fires, those that match `target` are not told.

    Both must have the same values of the labels in `equal`, as far as they have any.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Matchers
    target: Matchers
    equal: Annotated[tuple[str, ...], Field(max_length=20)] = ()

    def place(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Return the values in which source and target must be alike."""
        return tuple(labels.get(name, "") for name in self.equal)


@dataclass(frozen=True, slots=True)
class Firing:
    """An open alert; `labels` are all it has, with `alertname` and `severity`."""

    alert_id: str
    labels: Mapping[str, str]
    fired_at: float = 0.0


_Group: TypeAlias = tuple[int, bool, tuple[str, ...]]
_Node: TypeAlias = str | _Group
_Graph: TypeAlias = Mapping[_Node, Sequence[_Node]]


def inhibited(
    alerts: Collection[Firing], inhibitions: Iterable[Inhibition]
) -> dict[str, Firing]:
    """Return which alerts are inhibited, by their ids, and by whom each is at first hand."""
    ranked = sorted(alerts, key=_rank)
    place = {alert.alert_id: n for n, alert in enumerate(ranked)}
    sources, targets = _groups(ranked, inhibitions)
    explained: dict[str, Firing] = {}
    graph: dict[_Node, list[_Node]] = defaultdict(list)
    both = sources.keys() & targets.keys()
    for group in sorted(both, key=lambda each: place[sources[each][0].alert_id]):
        graph[group] = [each.alert_id for each in targets[group]]
        for source in sources[group]:
            graph[source.alert_id].append(group)
        for target in targets[group]:
            explained.setdefault(target.alert_id, sources[group][0])
    for told in _spared(graph, ranked):
        explained.pop(told, None)
    return explained


def _groups(
    alerts: Iterable[Firing], inhibitions: Iterable[Inhibition]
) -> tuple[dict[_Group, list[Firing]], dict[_Group, list[Firing]]]:
    """Return sources and targets of each place: a storm of both is no square.

    What matches both sides of an inhibition has a place of its own among the sources, whose
    targets match one side only.
    """
    sources: dict[_Group, list[Firing]] = defaultdict(list)
    targets: dict[_Group, list[Firing]] = defaultdict(list)
    numbered = list(enumerate(inhibitions))
    for alert in alerts:
        for number, inhibition in numbered:
            is_source = all_match(inhibition.source, alert.labels)
            is_target = all_match(inhibition.target, alert.labels)
            place = inhibition.place(alert.labels)
            if is_source:
                sources[number, is_target, place].append(alert)
            if is_target:
                targets[number, False, place].append(alert)
            if is_target and not is_source:
                targets[number, True, place].append(alert)
    return sources, targets


def _spared(graph: _Graph, ranked: Iterable[Firing]) -> Iterator[str]:
    """Yield of each circle that nothing outside of it inhibits the alert that is told."""
    circles = _circles(graph)
    inner = {
        circles[end]
        for begin, ends in graph.items()
        for end in ends
        if circles[begin] != circles[end]
    }
    for alert in ranked:
        circle = circles.get(alert.alert_id)
        if circle is not None and circle not in inner:
            inner.add(circle)
            yield alert.alert_id


def _circles(graph: _Graph) -> dict[_Node, int]:
    """Return the number of the strongly connected component of each node (Kosaraju)."""
    back: dict[_Node, list[_Node]] = defaultdict(list)
    for begin, ends in graph.items():
        for end in ends:
            back[end].append(begin)
    circles: dict[_Node, int] = {}
    for number, node in enumerate(reversed(_finished(graph, graph, set()))):
        if node not in circles:
            circles.update(dict.fromkeys(_finished(back, [node], set(circles)), number))
    return circles


def _finished(graph: _Graph, nodes: Iterable[_Node], seen: set[_Node]) -> list[_Node]:
    """Return all that can be reached and is not `seen`, each after what follows it."""
    order: list[_Node] = []
    for node in nodes:
        path = [] if node in seen else [(node, iter(graph.get(node, ())))]
        seen.add(node)
        while path:
            last, rest = path[-1]
            following = next((each for each in rest if each not in seen), None)
            if following is None:
                order.append(last)
                path.pop()
            else:
                seen.add(following)
                path.append((following, iter(graph.get(following, ()))))
    return order


def _rank(alert: Firing) -> tuple[int, float, str, list[tuple[str, str]], str]:
    """Return by what alerts are ordered: the one that is told before the others first."""
    labels = alert.labels
    worst_first = -_RANKS.get(labels.get("severity", ""), -1)
    name = labels.get("alertname", "")
    return worst_first, alert.fired_at, name, sorted(labels.items()), alert.alert_id
