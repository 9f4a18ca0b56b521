"""Signed geodesic distance to a territory. (Interface; the index lives in geo.kernels.)"""
