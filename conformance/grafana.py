"""Reads dashboards and queries with the parsers of others: JSON on standard input, the answer on standard output.

{"dashboards": [dashboard], "queries": ["up"]} gives for each dashboard what Grafana's own library does not know of it or reads
otherwise, and for each query the names of the metrics in it, or {"error": why}.
"""

import json
import sys

import promql_parser
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

UNITS = {value for name, value in vars(units).items() if isinstance(value, str) and not name.startswith("_")}


def differences(ours, theirs, path=""):
    """What is in ours and not the same in theirs. They may add what is meant unless something else is said."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            at = f"{path}/{key}"
            if key not in theirs:
                yield f"{at} is not known"
            else:
                yield from differences(value, theirs[key], at)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for at, (one, other) in enumerate(zip(ours, theirs)):
            yield from differences(one, other, f"{path}/{at}")
    elif ours != theirs:
        yield f"{path} is {ours!r}, and read as {theirs!r}"


def wrong_units(panels):
    for panel in panels:
        yield from wrong_units(panel.get("panels", []))
        defaults = panel.get("fieldConfig", {}).get("defaults", {})
        axis = panel.get("options", {}).get("yAxis", {})
        for unit in filter(None, (defaults.get("unit"), axis.get("unit"))):
            if unit not in UNITS:
                yield f"panel {panel['id']}: there is no unit {unit!r}"


def dashboard(ours):
    theirs = json.loads(JSONEncoder().encode(Dashboard.from_json(ours)))
    return [*differences(ours, theirs), *wrong_units(ours["panels"])]


def names(expression):
    found = set()

    def visit(node):
        if isinstance(node, promql_parser.VectorSelector):
            of_name = [matcher.value for matcher in node.matchers.matchers if matcher.name == "__name__"]
            found.update([node.name] if node.name else of_name)
        elif isinstance(node, promql_parser.MatrixSelector):
            visit(node.vector_selector)
        return True

    promql_parser.walk(expression, visit)
    return sorted(found)


def query(text):
    try:
        return {"names": names(promql_parser.parse(text))}
    except ValueError as error:
        return {"error": str(error)}


register_default_plugins()
given = json.load(sys.stdin)
json.dump(
    {
        "dashboards": [dashboard(ours) for ours in given["dashboards"]],
        "queries": [query(text) for text in given["queries"]],
    },
    sys.stdout,
)
