"""The rounds of one PyTorch program of the bench: builds once, then times steps each time it is asked to.

A program defines `prepare()`, which returns `step(index) -> float`, and calls `serve(prepare)`. Where `step` has an
attribute `parameters`, it is the size of the model. Requests and answers are lines of JSON on the standard streams;
bench/src/protocol.ts says what they hold.
"""
import argparse
import json
import math
import sys
import time

import torch


def serve(prepare):
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    torch.set_num_threads(parser.parse_args().threads)
    torch.manual_seed(1)
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a program prints is no answer

    start = time.perf_counter()
    step = prepare()
    setup_ms = (time.perf_counter() - start) * 1e3
    done = 0

    def run(steps):
        nonlocal done
        start = time.perf_counter()
        for _ in range(steps):
            value = step(done)
            if not math.isfinite(value):
                raise ArithmeticError(f"step {done} gave {value}")
            done += 1
        return {"ms": (time.perf_counter() - start) * 1e3, "value": value, "rss_mb": peak_memory()}

    def answer(fields):
        print(json.dumps(fields), file=answers, flush=True)

    engine = {
        "threads": torch.get_num_threads(),
        "engine": f"PyTorch {torch.__version__}",
        "parameters": getattr(step, "parameters", None),
    }
    answer({**run(1), "setup_ms": setup_ms, **engine})
    for line in sys.stdin:
        answer(run(json.loads(line)["steps"]))


def peak_memory():
    """Peak resident memory in MB."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    except OSError:
        pass
    try:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 2**20 if sys.platform == "darwin" else peak / 1024
    except ImportError:  # Windows
        return None
