"""A stand-in for the llama-server program, made of the same code out of the xllamacpp package.

It reads the options that the engine gives, the key from the environment, and serves until it is told to end.
"""

import argparse
import os
import signal
import sys
import threading

import xllamacpp


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("-m", dest="model", required=True)
    parser.add_argument("-np", dest="slots", type=int, required=True)
    parser.add_argument("-c", dest="context", type=int, required=True)
    parser.add_argument("-b", dest="batch", type=int, required=True)
    parser.add_argument("-ub", dest="micro_batch", type=int)
    parser.add_argument("--mmproj", dest="projector", default="")
    parser.add_argument("--embeddings", action="store_true")
    parser.add_argument("--pooling", default="unspecified")
    parser.add_argument("-t", dest="threads", type=int)
    parser.add_argument("--cache-ram", type=int, required=True)
    for switch in ("--no-context-shift", "--no-warmup", "--no-webui"):
        parser.add_argument(switch, action="store_true", required=True)
    asked = parser.parse_args()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: ended.set())
    params = xllamacpp.CommonParams()
    params.hostnames, params.port, params.model.path = [asked.host], asked.port, asked.model
    params.n_parallel, params.n_ctx, params.n_batch = asked.slots, asked.context, asked.batch
    params.cache_ram_mib, params.fit_params, params.warmup, params.ui = asked.cache_ram, False, False, False
    params.api_keys, params.verbosity = [os.environ["LLAMA_API_KEY"]], 1
    params.mmproj.path = asked.projector
    params.video_ffmpeg_bin_dir = os.environ.get("LLAMA_ARG_VIDEO_FFMPEG_DIR", "")
    if asked.micro_batch:
        params.n_ubatch = asked.micro_batch
    params.embedding = asked.embeddings
    params.pooling_type = getattr(xllamacpp.llama_pooling_type, f"LLAMA_POOLING_TYPE_{asked.pooling.upper()}")
    if asked.threads:
        params.cpuparams.n_threads = asked.threads
    try:
        server = xllamacpp.Server(params)
    except RuntimeError:
        return 1
    ended.wait()
    del server
    return 0


if __name__ == "__main__":
    sys.exit(main())
