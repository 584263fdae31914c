"""The random numbers of R from a seed, so that data sets published as a script can be had without R.

Uniform: Mersenne Twister, seeded by 50 + 625 steps of x ↦ 69069x + 1 mod 2³² (the first of the 625 is dropped).
Normal: inversion of a uniform of 54 bits, made of two. Exponential: Ahrens & Dieter (1972, Comm. ACM 15, SA). Gamma of
shape a ≥ 1: Ahrens & Dieter (1982, Comm. ACM 25, GD), whose constants stand below.
"""

import math
from collections.abc import Iterator

import numpy as np
from scipy.special import ndtri

_BIG = 134217728
_Q = (0.04166669, 0.02083148, 0.00801191, 0.00144121, -7.388e-5, 2.4511e-4, 2.424e-4)
_A = (0.3333333, -0.250003, 0.2000062, -0.1662921, 0.1423657, -0.1367177, 0.1233795)
_LN2_SUMS = np.cumsum([math.log(2.0) ** k / math.factorial(k) for k in range(1, 17)]).tolist()


def _series(coefficients: tuple[float, ...], x: float) -> float:
    """c₁x + c₂x² + …"""
    return math.fsum(c * x ** (k + 1) for k, c in enumerate(coefficients))


class Stream:
    """What R draws after ``set.seed(seed)``."""

    def __init__(self, seed: int) -> None:
        state = []
        for _ in range(50 + 625):
            seed = (69069 * seed + 1) % 2**32
            state.append(seed)
        self._bits = np.random.MT19937()
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": np.array(state[51:], np.uint32), "pos": 624}}
        self._uniforms = self._draws()

    def _draws(self) -> Iterator[float]:
        while True:
            yield from (self._bits.random_raw(65536) * 2.3283064365386963e-10).tolist()

    def uniform(self) -> float:
        return next(self._uniforms)

    def normal(self) -> float:
        high = int(_BIG * self.uniform())
        return float(ndtri((high + self.uniform()) / _BIG))

    def exponential(self) -> float:
        a, u = 0.0, 2.0 * self.uniform()
        while u <= 1.0:
            a, u = a + _LN2_SUMS[0], 2.0 * u
        u -= 1.0
        if u <= _LN2_SUMS[0]:
            return a + u
        least, k = min(self.uniform(), self.uniform()), 1
        while u > _LN2_SUMS[k]:
            least, k = min(least, self.uniform()), k + 1
        return a + least * _LN2_SUMS[0]

    def gamma(self, a: float) -> float:
        """Gamma of shape 1 ≤ a ≤ 3.686."""
        s2 = a - 0.5
        s = math.sqrt(s2)
        t = self.normal()
        x = s + 0.5 * t
        if t >= 0.0:
            return x * x
        u = self.uniform()
        if (5.656854 - 12.0 * s) * u <= t**3:
            return x * x
        q0, b, si, c = _series(_Q, 1.0 / a), 0.463 + s + 0.178 * s2, 1.235, 0.195 / s - 0.079 + 0.16 * s

        def quotient(t: float) -> float:
            v = t / (s + s)
            if abs(v) <= 0.25:
                return q0 + 0.5 * t * t * _series(_A, v)
            return q0 - s * t + 0.25 * t * t + 2.0 * s2 * math.log1p(v)

        if x > 0.0 and math.log(1.0 - u) <= quotient(t):
            return x * x
        while True:
            e, u = self.exponential(), 2.0 * self.uniform() - 1.0
            t = b + math.copysign(si * e, u)
            if t >= -0.71874483771719:
                q = quotient(t)
                if q > 0.0 and c * abs(u) <= math.expm1(q) * math.exp(e - 0.5 * t * t):
                    return (s + 0.5 * t) ** 2
