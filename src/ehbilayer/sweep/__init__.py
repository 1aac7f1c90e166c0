"""Sweeps: points, the store they stream into, the engines that compute them, and one result made of all.

In the order of a run: `points` (and `rows`, where they start from neighbours), `definition`, `lock`, `campaign` (what
is missing), `engines` and `worker` (one point), `store`, `adaptive` (the next points), `collect`; `status` only looks.
"""
