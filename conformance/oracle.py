"""Reads what metercast exports with the parsers of others: a batch as JSON on standard input, the answer on standard output.

{"pages": [{"format": "text" | "openmetrics", "page": "..."}], "messages": [{"encoding": "protobuf" | "json", "body": "<hex>"}],
"traces": [as messages, of spans]}
gives the same lists with what was understood, or {"error": why}. Doubles are written as their 64 bits, so that none is
rounded on the way.
"""

import base64
import gzip
import importlib.util
import json
import os
import re
import struct
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

DELTA, CUMULATIVE = 1, 2
GZIP = b"\x1f\x8b"
SIXTY_FOUR_BITS = {"timeUnixNano", "startTimeUnixNano", "endTimeUnixNano", "asInt", "intValue", "count", "bucketCounts", "zeroCount"}


def bits(number):
    return str(struct.unpack("<Q", struct.pack("<d", float(number)))[0])


def counters(text):
    """The names of counters on a page in text 0.0.4: the parser ends all of them in `_total`, whatever stands there."""
    for name in re.findall(r'^# TYPE (\S+|"(?:[^"\\]|\\.)*") counter$', text, re.M):
        yield re.sub(r"\\(.)", lambda one: "\n" if one[1] == "n" else one[1], name[1:-1]) if name[0] == '"' else name


def page(given):
    read = {"text": read_text, "openmetrics": read_openmetrics}[given["format"]]
    names = counters(given["page"])
    families, samples, exemplars = [], [], []
    for family in read(given["page"]):
        name = family.name
        if family.type == "counter":
            name = next(names) if given["format"] == "text" else name + "_total"
        families.append([name, family.type, family.documentation, family.unit])
        for sample in family.samples:
            assert sample.timestamp is None, f"{sample.name} has a timestamp"
            is_total = family.type == "counter" and sample.name == family.name + "_total"
            samples.append([name if is_total else sample.name, sample.labels, bits(sample.value)])
            if sample.exemplar:
                assert sample.exemplar.timestamp, f"an exemplar of {sample.name} has no timestamp"
                labels, number = sample.exemplar.labels, bits(sample.exemplar.value)
                exemplars.append([samples[-1][0], sample.labels, labels, number])
    return {"families": families, "samples": samples, "exemplars": exemplars}


def value(any_value):
    which = any_value.WhichOneof("value")
    content = getattr(any_value, which)
    if which == "double_value":
        content = bits(content)
    elif which == "int_value":
        content = str(content)
    return [which.removesuffix("_value"), content]


def attributes(pairs):
    found = {pair.key: value(pair.value) for pair in pairs}
    assert len(found) == len(pairs), f"an attribute stands twice: {pairs}"
    return found


def number(point):
    if point.WhichOneof("value") == "as_int":
        return ["int", str(point.as_int)]
    assert point.WhichOneof("value") == "as_double", f"a point without a value: {point}"
    return ["double", bits(point.as_double)]


def histogram(point):
    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
    assert sum(point.bucket_counts) == point.count
    assert all(a < b for a, b in zip(point.explicit_bounds, point.explicit_bounds[1:]))
    return {
        "bounds": [bits(bound) for bound in point.explicit_bounds],
        "counts": [str(count) for count in point.bucket_counts],
        "sum": bits(point.sum) if point.HasField("sum") else None,
    }


def exponential(point):
    buckets = lambda of: [of.offset, [str(count) for count in of.bucket_counts]]
    assert point.zero_count + sum(point.positive.bucket_counts) + sum(point.negative.bucket_counts) == point.count
    return {
        "scale": point.scale,
        "zeros": str(point.zero_count),
        "sum": bits(point.sum) if point.HasField("sum") else None,
        "positive": buckets(point.positive),
        "negative": buckets(point.negative),
    }


def exemplar(one):
    return [bits(one.as_double), one.trace_id.hex(), one.span_id.hex()]


def summary(point):
    return {
        "count": str(point.count),
        "sum": bits(point.sum),
        "quantiles": [[bits(one.quantile), bits(one.value)] for one in point.quantile_values],
    }


def metric(metric):
    """The kind of a metric, and its points."""
    which = metric.WhichOneof("data")
    data = getattr(metric, which)
    if which == "summary":
        return "summary", summary, data.data_points
    if which == "gauge":
        return "gauge", number, data.data_points
    assert data.aggregation_temporality in (DELTA, CUMULATIVE), f"{metric.name} counts from nowhere"
    if which == "sum":
        return "counter" if data.is_monotonic else "up_down_counter", number, data.data_points
    if which == "exponential_histogram":
        return which, exponential, data.data_points
    assert which == "histogram", f"{metric.name} is a {which}"
    return "histogram", histogram, data.data_points


def read_protobuf(body, Request):
    request = Request()
    if body.startswith(GZIP):  # No message begins so. What rotel hands on is compressed, whatever it is told.
        body = gzip.decompress(body)
    request.ParseFromString(body)
    # What the schema does not know would stay in the message unseen.
    stripped = Request()
    stripped.CopyFrom(request)
    stripped.DiscardUnknownFields()
    assert stripped == request, "the message has fields that the protocol does not know"
    return request


def keys_as_they_must_be(node):
    """OTLP, "JSON Protobuf Encoding": keys in lowerCamelCase alone, enums as numbers, 64 bits as texts; the parser is lenient."""
    if isinstance(node, list):
        for item in node:
            keys_as_they_must_be(item)
    elif isinstance(node, dict):
        for key, content in node.items():
            assert "_" not in key, f"the key {key}"
            if key in SIXTY_FOUR_BITS:
                texts = content if isinstance(content, list) else [content]
                assert all(isinstance(text, str) for text in texts), f"{key} is {content}"
            if key in ("aggregationTemporality", "kind", "code"):
                assert isinstance(content, int), f"{key} is {content}"
            keys_as_they_must_be(content)


def ids_to_base64(node):
    """OTLP, "JSON Protobuf Encoding": ids of traces and spans are in hexadecimal; the parser takes all bytes for base64."""
    for content in node.values() if isinstance(node, dict) else node:
        if isinstance(content, (dict, list)):
            ids_to_base64(content)
    if isinstance(node, dict):
        for key in {"traceId", "spanId", "parentSpanId"} & set(node):
            lengths = {"traceId": [32], "spanId": [16], "parentSpanId": [0, 16]}[key]
            assert len(node[key]) in lengths, f"{key} is {node[key]}"
            node[key] = base64.b64encode(bytes.fromhex(node[key])).decode()


def read_json(body, Request):
    content = json.loads(body.decode())
    keys_as_they_must_be(content)
    ids_to_base64(content)
    return json_format.ParseDict(content, Request())


def read_request(given, Request):
    read = {"protobuf": read_protobuf, "json": read_json}[given["encoding"]]
    return read(bytes.fromhex(given["body"]), Request)


def message(given):
    request = read_request(given, ExportMetricsServiceRequest)
    facts = []
    for resource in request.resource_metrics:
        assert resource.scope_metrics, "an envelope is empty"
        case = attributes(resource.resource.attributes).get("service.name", [None, None])[1]
        for scope in resource.scope_metrics:
            assert scope.metrics, "an envelope is empty"
            for one in scope.metrics:
                kind, read, points = metric(one)
                assert points, f"{one.name} has no points"
                for point in points:
                    assert 0 < point.start_time_unix_nano <= point.time_unix_nano, f"times of {one.name}"
                    facts.append({
                        "case": case,
                        "scope": scope.scope.name,
                        "name": one.name,
                        "unit": one.unit,
                        "description": one.description,
                        "kind": kind,
                        "labels": attributes(point.attributes),
                        "value": read(point),
                        "delta": getattr(getattr(one, one.WhichOneof("data")), "aggregation_temporality", 0) == DELTA,
                        "exemplars": [exemplar(one) for one in getattr(point, "exemplars", [])],
                    })
    return {"facts": facts}


def span(one, resource):
    assert len(one.trace_id) == 16 and any(one.trace_id), f"the trace of {one.name}"
    assert len(one.span_id) == 8 and any(one.span_id), f"the id of {one.name}"
    assert not one.parent_span_id or len(one.parent_span_id) == 8 and any(one.parent_span_id), f"the parent of {one.name}"
    assert one.name and 0 < one.start_time_unix_nano <= one.end_time_unix_nano, f"times of {one.name}"
    for event in one.events:
        assert event.name and event.time_unix_nano, f"an event of {one.name}"
        attributes(event.attributes)
    return {
        "trace": one.trace_id.hex(),
        "span": one.span_id.hex(),
        "parent": one.parent_span_id.hex(),
        "name": one.name,
        "kind": Span.SpanKind.Name(one.kind).removeprefix("SPAN_KIND_").lower(),
        "attributes": attributes(one.attributes),
        "events": [event.name for event in one.events],
        "resource": resource,
    }


def trace(given):
    spans = []
    for resource in read_request(given, ExportTraceServiceRequest).resource_spans:
        assert resource.scope_spans, "an envelope is empty"
        of_resource = attributes(resource.resource.attributes)
        for scope in resource.scope_spans:
            assert scope.spans, "an envelope is empty"
            spans += [span(one, of_resource) for one in scope.spans]
    return {"spans": spans}


def answer(read, given):
    try:
        return read(given)
    except Exception as error:  # Whatever a parser throws is what the test is about.
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    batch = json.load(sys.stdin)
    json.dump({
        # Where the collector is that lies in the same environment.
        "rotel": os.path.join(os.path.dirname(importlib.util.find_spec("rotel").origin), "rotel-agent"),
        "pages": [answer(page, given) for given in batch["pages"]],
        "messages": [answer(message, given) for given in batch["messages"]],
        "traces": [answer(trace, given) for given in batch["traces"]],
    }, sys.stdout)


main()
