#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reference values for losses, gradients and SGD trajectories, computed in float64 by PyTorch autograd.

Writes losses.json (one case per loss and selection setting) and sgd.json (full-softmax training trajectories).
All matrices are row-major lists of rows. Shapes: features (batch, dim), weights (numClasses, dim).
A case's "active" lists the classes that take part in the softmax; "logWeight" is added to the logit of each
active class (0 for classes that stand for themselves, log((N-|S|)/m) for uniformly drawn tail classes).
"""
import json, math, torch
torch.set_default_dtype(torch.float64)

def target_logit(loss, cos_y, p):
    if loss == "arcface":
        theta = torch.acos(cos_y.clamp(-1, 1))
        shifted = torch.cos(theta + p["margin"])
        if p.get("fallback", True):           # beyond theta + m > pi the curve continues linearly
            limit = math.cos(math.pi - p["margin"])
            shifted = torch.where(cos_y > limit, shifted, cos_y - math.sin(math.pi - p["margin"]) * p["margin"])
        return shifted
    if loss == "cosface":
        return cos_y - p["margin"]
    return cos_y

def run(loss, p, x, w, b, y, active, log_weight):
    x = x.clone().requires_grad_(True); w = w.clone().requires_grad_(True)
    b = b.clone().requires_grad_(True) if b is not None else None
    xs, ws = x, w[active]
    if loss != "softmax":
        xs = torch.nn.functional.normalize(xs, dim=1); ws = torch.nn.functional.normalize(ws, dim=1)
    z = xs @ ws.T
    if b is not None: z = z + b[active]
    pos = torch.tensor([active.index(int(t)) for t in y]); rows = torch.arange(len(y))
    scale = p.get("scale", 1.0)
    cos_y = z[rows, pos]
    if loss == "arcface" and p.get("backward") == "straight-through":
        with torch.no_grad(): delta = target_logit(loss, cos_y, p) - cos_y
        t = cos_y + delta
    else:
        t = target_logit(loss, cos_y, p)
    z = z.clone(); z[rows, pos] = t
    z = z * scale + torch.tensor(log_weight)
    if loss == "dsoftmax":
        zy = z[rows, pos]
        others = z.masked_fill(torch.nn.functional.one_hot(pos, len(active)).bool(), -math.inf)
        zeros = torch.zeros(len(y), 1)
        per = torch.nn.functional.softplus(scale * p["d"] - zy) + torch.logsumexp(torch.cat([zeros, others], 1), 1)
    else:
        per = torch.logsumexp(z, 1) - z[rows, pos]
    mean = per.mean(); mean.backward()
    return dict(perSampleLoss=per.tolist(), meanLoss=float(mean.detach()), logits=z.tolist(), gradFeatures=x.grad.tolist(),
                gradWeights=w.grad.tolist(), gradBias=None if b is None else b.grad.tolist())

def losses():
    g = torch.Generator().manual_seed(20261121); B, D, N = 6, 5, 11
    x = torch.randn(B, D, generator=g) * 1.7; w = torch.randn(N, D, generator=g); b = torch.randn(N, generator=g) * .3
    y = torch.tensor([0, 3, 3, 7, 10, 5])
    w[7] = -x[3] * .9 + .05 * torch.randn(D, generator=g)   # an angle near pi: exercises ArcFace's fallback
    w[5] = x[5] * 1.1 + .05 * torch.randn(D, generator=g)   # an angle near 0, where the exact ArcFace derivative grows
    settings = [("softmax", {}), ("softmax", {"bias": True}),
                ("normsoftmax", {"scale": 16.0}), ("cosface", {"scale": 64.0, "margin": .4}),
                ("cosface", {"scale": 30.0, "margin": .2}),
                ("arcface", {"scale": 64.0, "margin": .5, "backward": "exact"}),
                ("arcface", {"scale": 64.0, "margin": .5, "backward": "straight-through"}),
                ("arcface", {"scale": 16.0, "margin": .3, "backward": "exact"}),
                ("dsoftmax", {"scale": 64.0, "d": .9}), ("dsoftmax", {"scale": 16.0, "d": .5})]
    selections = [("all", list(range(N)), [0.0] * N),
                  ("active", [0, 2, 3, 5, 7, 8, 10], [0.0] * 7),
                  ("active+tail", [0, 2, 3, 5, 7, 10, 1, 9], [0.0] * 6 + [math.log(5 / 2)] * 2)]
    cases = []
    for loss, p in settings:
        for name, active, lw in selections:
            r = run(loss, p, x, w, b if p.get("bias") else None, y, active, lw)
            cases.append(dict(loss=loss, parameters=p, selection=name, active=active, logWeight=lw, **r))
    return dict(features=x.tolist(), weights=w.tolist(), bias=b.tolist(), labels=y.tolist(), cases=cases)

def sgd():
    out = []
    for name, lr, mom, wd, nest in [("plain", .1, 0., 0., False), ("momentum", .1, .9, 0., False),
                                    ("momentum+decay", .1, .9, 5e-3, False), ("nesterov+decay", .05, .9, 5e-3, True)]:
        g = torch.Generator().manual_seed(7); N, D, B = 12, 4, 3
        w = torch.nn.Parameter(torch.randn(N, D, generator=g)); w0 = w.detach().clone().tolist()
        opt = torch.optim.SGD([w], lr=lr, momentum=mom, weight_decay=wd, nesterov=nest)
        steps = []
        for s in range(12):
            x = torch.randn(B, D, generator=g); act = sorted(torch.randperm(N, generator=g)[:5].tolist())
            y = torch.tensor([act[i % 5] for i in range(s, s + B)])
            opt.zero_grad(set_to_none=False)
            if w.grad is None: w.grad = torch.zeros_like(w)
            z = x @ w[act].T; pos = torch.tensor([act.index(int(t)) for t in y])
            loss = torch.nn.functional.cross_entropy(z, pos); loss.backward(); opt.step()
            steps.append(dict(features=x.tolist(), labels=y.tolist(), active=act, loss=float(loss.detach())))
        out.append(dict(name=name, learningRate=lr, momentum=mom, weightDecay=wd, nesterov=nest, initialWeights=w0,
                        steps=steps, finalWeights=w.detach().tolist()))
    return out

json.dump(losses(), open("losses.json", "w")); json.dump(sgd(), open("sgd.json", "w"))
