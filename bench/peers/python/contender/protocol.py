"""The harness's protocol, as `bench/input/src/protocol.rs` describes it: `about`, or `measure REQUEST`; one line of JSON."""

import json
import sys


class Refused(Exception):
    """A request that cannot be answered, and why."""


def serve(about, measure):
    """The main function of a contender."""
    try:
        match sys.argv[1:]:
            case ["about"]:
                answer = about()
            case ["measure", request]:
                answer = measure(json.loads(request))
            case _:
                raise Refused("about | measure REQUEST")
    except Refused as why:
        sys.exit(f"error: {why}")
    print(json.dumps(answer), flush=True)


def described(request):
    """The description of the request's files."""
    folder = request.get("files")
    if folder is None:
        raise Refused("this contender reads files: T0 and T1")
    with open(f"{folder}/input.json") as description:
        return json.load(description)


def spread(times_ms):
    """A distribution of times, as figures say it; None of none."""
    if not times_ms:
        return None
    times = sorted(times_ms)
    last = len(times) - 1
    at = lambda q: times[min(round(last * q), last)]
    return {"count": len(times), "p50": at(0.5), "p99": at(0.99), "p999": at(0.999), "max": times[-1]}
