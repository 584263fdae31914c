"""Two families as a user writes them: log density, sampler and start, everything else by default."""

import numpy as np

from simstudy.families.base import Family
from simstudy.families.sample_space import POSITIVE_NUMBERS, REAL_LINE
from simstudy.parameters import POSITIVE, REAL, Parameter


class Rayleigh(Family):
    name = "rayleigh"
    parameters = (Parameter("scale", POSITIVE, (0.2, 5.0)),)
    sample_space = POSITIVE_NUMBERS

    def log_density(self, x, theta):
        return np.log(x) - 2.0 * np.log(theta[0]) - 0.5 * (x / theta[0]) ** 2

    def sample(self, rng, theta, size):
        return rng.rayleigh(theta[0], size)

    def start(self, x):
        return (np.sqrt((x * x).mean(axis=-1) / 2.0),)


class Gumbel(Family):
    name = "gumbel"
    parameters = (Parameter("loc", REAL, (-5.0, 5.0)), Parameter("scale", POSITIVE, (0.2, 5.0)))
    sample_space = REAL_LINE

    def log_density(self, x, theta):
        z = (x - theta[0]) / theta[1]
        return -z - np.exp(-z) - np.log(theta[1])

    def sample(self, rng, theta, size):
        return rng.gumbel(theta[0], theta[1], size)

    def start(self, x):
        scale = x.std(axis=-1) * np.sqrt(6.0) / np.pi
        return x.mean(axis=-1) - np.euler_gamma * scale, np.where(scale > 0.0, scale, 1.0)
