# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a comparison, for a terminal and for the documentation."""

from __future__ import annotations

import typing as t
from collections import Counter
from pathlib import Path

from .paths import parse_poll, parse_target
from .replay import Outcome

BEGIN, END = "<!-- conformance: begin -->", "<!-- conformance: end -->"


def lines(outcomes: t.Sequence[Outcome], *, verbose: bool = False) -> t.Iterator[str]:
    """Yield the report: a line for each disagreement, the accepted reasons, and the figures."""
    for outcome in outcomes:
        if outcome.verdict == "disagree":
            yield f"{_name(outcome)}: {'; '.join(outcome.differences)}"
        elif verbose:
            yield f"{_name(outcome)}: {outcome.verdict}"
    reasons = accepted(outcomes)
    if reasons:
        yield "Accepted, by reason (answers in which it occurs):"
        for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
            yield f"  {count:5d}  {reason}"
    yield figures(outcomes)


def figures(outcomes: t.Sequence[Outcome]) -> str:
    """Return the last line."""
    count = Counter(outcome.verdict for outcome in outcomes)
    compared = count["agree"] + count["disagree"]
    return (
        f"{compared} compared, {count['agree']} agree, {count['disagree']} disagree, {count['not served']} not served"
    )


def accepted(outcomes: t.Sequence[Outcome]) -> Counter[str]:
    """Return how many answers differ for each accepted reason."""
    return Counter(reason for outcome in outcomes for reason in set(outcome.excuses))


def _name(outcome: Outcome) -> str:
    record = outcome.interaction
    query = "&".join(f"{k}={v}" for k, v in record.query.items() if k in ("api-version", "$expand", "monitor"))
    return f"{outcome.flow.name} {record.name} {record.method} {_short(record.path)}?{query}"


def _short(path: str) -> str:
    """Return a path without its subscription."""
    head, _dummy, rest = path.lstrip("/").partition("/")
    return "/" + rest.partition("/")[2] if head.lower() == "subscriptions" else path


def subject(outcome: Outcome) -> str:
    """What an interaction is about, for the table in the documentation."""
    record = outcome.interaction
    poll = parse_poll(record.path)
    if poll is not None:
        return "operations"
    target = parse_target(record.path)
    if target is None:
        return "subscription-wide reads"
    return target.type.replace("Microsoft.", "", 1)


def write_docs(path: Path, outcomes: t.Sequence[Outcome]) -> None:
    """Put the figures between the markers of a Markdown file.

    :raises ValueError: the file has no markers.
    """
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path}: has no lines {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n{_markdown(outcomes)}\n{END}{after}", encoding="utf-8")


def _markdown(outcomes: t.Sequence[Outcome]) -> str:
    rows: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        if outcome.verdict != "not served":
            rows.setdefault(subject(outcome), Counter())[outcome.verdict] += 1
    table = [f"{figures(outcomes)}.", "", "| about | compared | agree | disagree |", "|---|---|---|---|"]
    for name, count in sorted(rows.items()):
        table.append(f"| {name} | {sum(count.values())} | {count['agree']} | {count['disagree']} |")
    table += ["", "Accepted differences:", "", "| answers | reason |", "|---|---|"]
    for reason, number in sorted(accepted(outcomes).items(), key=lambda item: (-item[1], item[0])):
        table.append(f"| {number} | {reason.replace('|', chr(92) + '|')} |")
    return "\n".join(table)
