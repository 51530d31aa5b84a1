#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times the last layer in PyTorch, to hold the GPU engine against: one JSON line for each method.

    python3 gpu/peers.py --classes 1000000 --dim 512 --batch 1024

full       softmax cross entropy over all classes, logits in memory
chunked    the same without logits of all samples at once: torch.nn.functional.linear_cross_entropy
           where it works in chunks (PyTorch 2.13 or so), else pieces of the batch, whose logits are
           made again on the way back
partialfc  Partial FC (An et al. 2022, arXiv 2203.15565): targets and uniform classes, --rate of all,
           cosines times a scale, no correction; SGD with momentum moves the active rows alone

A step makes loss, gradients of embeddings and class weights, and moves the weights by SGD with
momentum 0.9. Embeddings and targets are random and lie on the device; no backbone is timed. A method
for which memory is too small says so. Needs PyTorch and nothing else.
"""

import argparse
import json
import statistics
import sys
import time

import torch
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

MOMENTUM = 0.9
RATE = 0.1  # of learning
SCALE = 32.0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--classes", type=int, required=True)
    parser.add_argument("--dim", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--device", default="cuda", help="cuda, or cpu to try")
    parser.add_argument("--dtype", default="fp32", choices=["fp32", "tf32", "bf16"],
                        help="of products: tf32 keeps fp32 weights, bf16 casts operands")
    parser.add_argument("--rate", type=float, default=0.1, help="share of classes of partialfc")
    parser.add_argument("--chunk", type=int, default=256, help="samples of a piece of chunked")
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--methods", default="full,chunked,partialfc")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


class Problem:
    """Class weights with their velocities, and batches."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.device = torch.device(arguments.device)
        self.random = torch.Generator(device=self.device).manual_seed(arguments.seed)
        shape = (arguments.classes, arguments.dim)
        self.weights = torch.randn(shape, device=self.device, generator=self.random)
        self.weights.mul_(arguments.dim**-0.5)
        self.velocities = torch.zeros_like(self.weights)

    def batch(self):
        """Unit embeddings (batch, dim) that want a gradient, and targets (batch)."""
        a = self.arguments
        embeddings = torch.randn((a.batch, a.dim), device=self.device, generator=self.random)
        targets = torch.randint(a.classes, (a.batch,), device=self.device, generator=self.random)
        return functional.normalize(embeddings).requires_grad_(), targets

    def products(self):
        """The precision of matrix products."""
        low = self.arguments.dtype == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=low)

    def move_all(self, gradient):
        self.velocities.mul_(MOMENTUM).add_(gradient)
        self.weights.add_(self.velocities, alpha=-RATE)


def full(problem, embeddings, targets):
    weights = problem.weights.detach().requires_grad_()
    with problem.products():
        logits = functional.linear(embeddings, weights)
    loss = functional.cross_entropy(logits.float(), targets)
    loss.backward()
    problem.move_all(weights.grad)
    return loss.detach()


def chunked(problem, embeddings, targets):
    weights = problem.weights.detach().requires_grad_()
    if hasattr(torch.nn, "LinearCrossEntropyOptions"):
        low = torch.bfloat16 if problem.arguments.dtype == "bf16" else torch.float32
        loss = functional.linear_cross_entropy(
            embeddings.to(low), weights.to(low), targets,
            options=torch.nn.LinearCrossEntropyOptions(batch_chunk_size=problem.arguments.chunk))
    else:
        with problem.products():
            loss = sum_of_pieces(problem, embeddings, targets, weights) / len(targets)
    loss.backward()
    problem.move_all(weights.grad)
    return loss.detach()


def sum_of_pieces(problem, embeddings, targets, weights):
    def piece(some, their_targets):
        logits = functional.linear(some, weights)
        return functional.cross_entropy(logits.float(), their_targets, reduction="sum")

    size = problem.arguments.chunk
    pieces = zip(embeddings.split(size), targets.split(size), strict=True)
    return sum(checkpoint(piece, *each, use_reentrant=False) for each in pieces)


def partialfc(problem, embeddings, targets):
    # Targets, and the classes of the largest random numbers.
    a = problem.arguments
    positives = torch.unique(targets)
    wanted = max(int(a.rate * a.classes), len(positives))
    draws = torch.rand(a.classes, device=problem.device, generator=problem.random)
    draws[positives] = 2.0
    active = torch.topk(draws, wanted, sorted=False).indices.sort().values
    rows = problem.weights[active].requires_grad_()
    with problem.products():
        cosines = functional.linear(functional.normalize(embeddings), functional.normalize(rows))
    logits = SCALE * cosines.float()
    loss = functional.cross_entropy(logits, torch.searchsorted(active, targets))
    loss.backward()
    velocities = problem.velocities[active].mul_(MOMENTUM).add_(rows.grad)
    problem.velocities[active] = velocities
    problem.weights[active] = rows.detach().sub_(velocities, alpha=RATE)
    return loss.detach()


METHODS = {"full": full, "chunked": chunked, "partialfc": partialfc}


def seconds_of_steps(problem, method):
    a = problem.arguments
    on_gpu = problem.device.type == "cuda"
    seconds = []
    for step in range(a.warm_up + a.steps):
        embeddings, targets = problem.batch()
        if on_gpu:
            torch.cuda.synchronize()
        start = time.perf_counter()
        loss = METHODS[method](problem, embeddings, targets)
        if on_gpu:
            torch.cuda.synchronize()
        if step >= a.warm_up:
            seconds.append(time.perf_counter() - start)
    if not torch.isfinite(loss):
        raise ArithmeticError(f"{method}: the loss is {loss.item()}")
    return seconds


def measure(arguments, method):
    a = arguments
    line = {
        "method": method,
        "classes": a.classes,
        "dim": a.dim,
        "batch": a.batch,
        "dtype": a.dtype,
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if a.device == "cuda" else a.device,
    }
    if method == "partialfc":
        line["rate"] = a.rate
    if method == "chunked":
        line["builtIn"] = hasattr(torch.nn, "LinearCrossEntropyOptions")
    if a.device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    try:
        seconds = seconds_of_steps(Problem(a), method)
    except torch.cuda.OutOfMemoryError as e:
        line["error"] = str(e).split("\n")[0]
        return line
    median = statistics.median(seconds)
    line["medianSeconds"] = median
    line["samplesPerSecond"] = a.batch / median
    line["leastSeconds"] = min(seconds)
    line["mostSeconds"] = max(seconds)
    if a.device == "cuda":
        line["peakBytes"] = torch.cuda.max_memory_allocated()
    return line


def main():
    arguments = parse_arguments()
    methods = arguments.methods.split(",")
    unknown = sorted(set(methods) - set(METHODS))
    if unknown:
        sys.exit(f"unknown methods {unknown}; take some of {','.join(METHODS)}")
    if arguments.device == "cuda" and not torch.cuda.is_available():
        sys.exit("PyTorch sees no GPU; nvidia-smi must show one, or give --device cpu")
    allow = arguments.dtype == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = allow
    for method in methods:
        print(json.dumps(measure(arguments, method)), flush=True)


if __name__ == "__main__":
    main()
