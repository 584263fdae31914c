"""How many threads numerical libraries may use in a worker."""

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "VECLIB", "NUMEXPR")}
"""Environment: more threads do not help beside other workers, and may change the last bit of a sum."""
