"""The tables of OpenTelemetry's semantic conventions, as their own package for Python has them, as JSON on standard output.

{"metrics": {name: {"kind", "unit", "deprecated"}}, "attributes": {name: {"deprecated", "values": [...] | null}}}
Values are those that are not deprecated; null where any value will do.
"""

import ast
import importlib
import inspect
import json
import pkgutil
import sys

import opentelemetry.semconv._incubating.attributes as incubating_attributes
import opentelemetry.semconv._incubating.metrics as incubating_metrics
import opentelemetry.semconv.attributes as stable_attributes
import opentelemetry.semconv.metrics as stable_metrics

KINDS = {
    "create_counter": "counter",
    "create_up_down_counter": "up-down counter",
    "create_histogram": "histogram",
    "create_gauge": "gauge",
    "create_observable_counter": "counter",
    "create_observable_up_down_counter": "up-down counter",
    "create_observable_gauge": "gauge",
}


class Meter:
    """Takes down what it is asked to create."""

    def __init__(self):
        self.created = []

    def __getattr__(self, method):
        kind = KINDS[method]

        def create(name, unit="", description="", callbacks=None):
            deprecated = description.startswith("Deprecated")
            self.created.append((name, {"kind": kind, "unit": unit, "deprecated": deprecated}))

        return create


def modules(package):
    for module in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{package.__name__}.{module.name}")


def metrics():
    meter = Meter()
    for module in [*modules(incubating_metrics), *modules(stable_metrics)]:
        for name, create in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("create_"):
                create(*[meter if at == 0 else None for at in range(len(inspect.signature(create).parameters))])
    return dict(meter.created)


def constants(body):
    """Each constant of a module or a class with its value, and whether the text below it calls it deprecated."""
    for statement, below in zip(body, [*body[1:], None]):
        if isinstance(statement, ast.AnnAssign):
            name, value = statement.target.id, statement.value
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name, value = statement.targets[0].id, statement.value
        else:
            continue
        try:
            value = ast.literal_eval(value)
        except ValueError:
            continue
        is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
        yield name, value, is_text and below.value.value.strip().startswith("Deprecated")


def attributes():
    found, values = {}, {}
    for module in [*modules(incubating_attributes), *modules(stable_attributes)]:
        body = ast.parse(inspect.getsource(module)).body
        for name, value, deprecated in constants(body):
            if isinstance(value, str):
                found[name.replace("_", "")] = (value, deprecated)
        for of in body:
            if isinstance(of, ast.ClassDef) and of.name.endswith("Values"):
                key = of.name.removesuffix("Values").upper()
                values[key] = [value for _, value, deprecated in constants(of.body) if not deprecated]
    return {name: {"deprecated": deprecated, "values": values.get(key)} for key, (name, deprecated) in found.items()}


json.dump({"metrics": metrics(), "attributes": attributes()}, sys.stdout)
