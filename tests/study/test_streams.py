"""The numbers of a block follow from what it is: golden values, and what they depend on and what not."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstudy.families import FAMILIES
from simstudy.running.block import draw
from simstudy.study.scenario import Covariate, Scenario
from simstudy.study.streams import STREAM_VERSION, block_size, generator, identity

CELL = Scenario("orthogonal", "gamma", ("shape", "mean"), (2.0, 3.0), "gamma", (), n=50, replicates=100, level=0.95)
SEED = 20240611


def first_numbers(cell=CELL, seed=SEED, block=0):
    return generator(cell, seed, block).random(3).tolist()


# What is published and stored depends on these: a change of any of them needs a new stream version.


def test_golden_identity():
    assert STREAM_VERSION == 1
    assert identity(CELL, SEED) == '[1,20240611,"gamma",["shape","mean"],[2.0,3.0],50]'


def test_golden_numbers():
    assert first_numbers() == [0.21405867307615678, 0.3136864791081627, 0.4726133621391515]
    assert first_numbers(block=1)[:2] == [0.03079601462731696, 0.7802934124923829]


GOLDEN_DRAWS = {
    "normal": ((1.0, 2.0), [0.14376985976505008, -2.2104390179030244, 3.682338975811449]),
    "exponential": ((2.0,), [0.15203061268663573, 0.34928752231018356, 0.8511698924111146]),
    "gamma": ((2.0, 3.0), [3.8078340401821547, 11.451273534755627, 6.617826434554191]),
    "weibull": ((2.5, 1.0), [0.8237528781147564, 0.9234687138466157, 0.33561281544776234]),
    "lognormal": ((0.0, 1.0), [1.8074260311282166, 0.15708941398294302, 1.4138573731577921]),
    "beta": ((2.0, 3.0), [0.6321064745923896, 0.2490215379039686, 0.8935294885517692]),
    "logistic": ((0.0, 1.0), [0.9995157819998517, -2.027517787033127, -0.5776866765423168]),
    "cauchy": ((0.0, 1.0), [-0.16280420814846872, -5.804728304026959, -3.5821826085414323]),
    "poisson": ((3.0,), [4, 2, 1]),
    "inverse_gaussian": ((1.0, 2.0), [1.8400631308434956, 1.2861598503132528, 0.9438722934860169]),
    "pareto": ((3.0, 2.0), [2.7289410880374625, 2.1518574507085235, 2.280694961758365]),
    "rayleigh": ((2.0,), [2.7797883944165145, 4.498674131087686, 1.7646988366296363]),
    "half_normal": ((2.0,), [0.17115305211332393, 0.0050014069224747085, 2.831704443607327]),
    "maxwell": ((2.0,), [2.466471231725005, 3.9290098236252136, 2.787901364635849]),
    "chi_squared": ((3.0,), [4.583430827393875, 0.2454273157609872, 1.458179066379519]),
    "lindley": ((1.5,), [0.19371285205257202, 0.984810941316956, 1.9417288999913176]),
    "von_mises": ((1.0, 2.0), [2.200416146255046, 1.3821603636400832, 1.2108832718532252]),
    "normal_mixture": ((0.4, 0.0, 1.0, 5.0, 2.0), [4.344070921870493, 6.261090947197342, 3.1850516977616214]),
    "laplace": ((0.0, 1.0), [0.5718296917497322, -0.5010447621030958, 0.5109320388274878]),
    "gumbel": ((0.0, 1.0), [-0.28386475442604103, 0.9890543801076476, 0.8191830888418218]),
    "log_logistic": ((2.0, 1.0), [0.2281568442291804, 0.5373350822457655, 0.4361444527315933]),
    "kumaraswamy": ((2.0, 3.0), [0.28703816484594535, 0.7722342785857567, 0.5414013962835117]),
    "uniform": ((-1.0, 2.0), [1.6266186625357135, 0.7924212684416667, 1.7054547836848077]),
    "shifted_exponential": ((1.0, 2.0), [1.7734212917595218, 1.129224308368878, 1.0135342294683642]),
    "bivariate_normal": (
        (0.0, 1.0, 1.0, 2.0, 0.5),
        [
            [-0.4575160282856932, -1.9678997752984926],
            [0.8622266244494042, -0.8554465588263964],
            [0.27592106446017733, 2.363208577265026],
        ],
    ),
    "multivariate_normal": (
        (0.0, 1.0, 1.0, 0.5, 2.0),
        [
            [-0.22706456448753629, 2.4707342151396583],
            [2.9975440767150627, 3.671234362911846],
            [1.0184194445856163, 1.2153453479976972],
        ],
    ),
    "dirichlet": (
        (2.0, 3.0, 4.0),
        [
            [0.145184648914935, 0.5351889124144834, 0.31962643867058166],
            [0.16264770337988288, 0.5054709295280485, 0.33188136709206867],
            [0.182642224518419, 0.48532634549090764, 0.3320314299906734],
        ],
    ),
    "linear_regression": (
        (1.0, 2.0, 0.5),
        [
            [0.16554399610342246, -0.5999812876646158],
            [-0.657485386540468, -0.48449618187055465],
            [0.2739155514455891, -0.7193210298851593],
        ],
    ),
    "logistic_regression": (
        (1.0, 2.0),
        [[1.0, -0.21040639875793798], [1.0, -0.1354349569266582], [1.0, -0.7157760822426039]],
    ),
    "poisson_regression": (
        (1.0, 0.5),
        [[4.0, 0.9625870181456485], [1.0, -1.81277440257296], [2.0, -0.154506560150817]],
    ),
    "binomial": ((0.3, 10.0), [2, 0, 5]),
    "bernoulli": ((0.3,), [0, 1, 0]),
    "geometric": ((0.3,), [9, 5, 3]),
    "negative_binomial": ((2.0, 0.3), [1, 2, 12]),
    "zero_inflated_poisson": ((0.3, 4.0), [6, 9, 2]),
    "categorical": ((0.3, 0.3), [2, 2, 1]),
    "generalized_extreme_value": ((0.0, 1.0, 0.2), [0.13181805524593754, 4.3809480078306775, 0.0475557712976394]),
    "generalized_pareto": ((1.0, 0.2), [0.04225223968726165, 0.1868355335181991, 0.4016630229710158]),
    "skew_normal": ((0.0, 1.0, 3.0), [2.040412610248291, 0.4638179992806931, 0.5705270172602049]),
    "student_t": ((0.0, 1.0, 5.0), [2.001213756521541, 1.9160671164004819, -0.6523106074676187]),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_golden_draws(family):
    """The last digit may differ between processors, whose logarithms do; another draw would differ in all."""
    values, expected = GOLDEN_DRAWS[family]
    names = tuple(parameter.name for parameter in FAMILIES[family].forms[0])
    cell = replace(CELL, family=family, names=names, values=values, n=3)
    np.testing.assert_allclose(draw(cell, 1, 0)[0], expected, rtol=8 * 2.0**-52)


REGRESSION = Scenario(
    "r", "poisson_regression", ("intercept", "slope1"), (1.0, 0.5), "poisson_regression", (), 9, 2, 0.9
)


def test_covariates_are_part_of_the_identity_where_they_are_given():
    covariates = (Covariate("gamma", ("shape", "scale"), (2.0, 1.0)),)
    assert identity(REGRESSION, 1) == '[1,1,"poisson_regression",["intercept","slope1"],[1.0,0.5],9]'
    assert identity(replace(REGRESSION, covariates=covariates), 1) == (
        '[1,1,"poisson_regression",["intercept","slope1"],[1.0,0.5],9,[["gamma",["shape","scale"],[2.0,1.0]]]]'
    )
    assert (draw(replace(REGRESSION, covariates=covariates), 1, 0)[..., 1] > 0.0).all()


def test_a_censoring_time_is_no_part_of_the_identity():
    assert identity(replace(CELL, censoring=2.0), SEED) == identity(CELL, SEED)


def test_the_generator_is_the_one_described():
    text = json.dumps([*json.loads(identity(CELL, SEED)), 7], separators=(",", ":"))
    entropy = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    described = np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence(entropy)))
    assert described.random(5).tolist() == generator(CELL, SEED, 7).random(5).tolist()


@pytest.mark.parametrize(
    "same",
    [
        {"name": "another"},
        {"fit": "weibull"},
        {"known": ("shape",)},
        {"replicates": 7},
        {"level": 0.5},
        {"values": (2, 3)},
        {"values": (np.float64(2.0), np.float64(3.0))},
    ],
)
def test_numbers_do_not_depend_on(same):
    assert first_numbers(replace(CELL, **same)) == first_numbers()


@pytest.mark.parametrize(
    "other",
    [
        {"family": "weibull"},
        {"names": ("shape", "scale")},
        {"values": (2.0, 3.0000000000000004)},
        {"values": (3.0, 2.0)},
        {"n": 51},
    ],
)
def test_numbers_depend_on(other):
    assert first_numbers(replace(CELL, **other)) != first_numbers()


def test_numbers_depend_on_seed_and_block():
    numbers = [first_numbers(seed=seed, block=block) for seed in (0, 1, 2**64) for block in (0, 1, 10**9)]
    assert len({tuple(row) for row in numbers}) == 9


def test_digits_of_seed_and_block_do_not_run_together():
    """Neither of the four identities begins another, so that no two hash the same text."""
    texts = [f"{identity(replace(CELL, n=n), 1)[:-1]},{block}]" for n in (1, 11) for block in (1, 11)]
    assert len(set(texts)) == 4


def test_a_block_is_drawn_whole_and_always_the_same():
    cell = replace(CELL, n=100)
    x = draw(cell, SEED, 3)
    assert x.shape == (block_size(100), 100)
    np.testing.assert_array_equal(x, draw(cell, SEED, 3))
    assert not np.isin(draw(cell, SEED, 4), x).any()


@pytest.mark.parametrize(
    ("n", "rows"), [(1, 4096), (16, 4096), (17, 3855), (50, 1310), (2000, 32), (65_536, 1), (65_537, 1), (10**7, 1)]
)
def test_block_size(n, rows):
    assert block_size(n) == rows


@given(st.integers(1, 10**9))
def test_block_size_is_what_design_says(n):
    assert block_size(n) == int(np.clip(2**16 // n, 1, 4096))


def test_streams_look_independent():
    """Means of 400 blocks' first 100 numbers: a mean of means 6 standard errors out has a chance of 2e-9."""
    means = [generator(CELL, SEED, block).random(100).mean() for block in range(400)]
    assert abs(np.mean(means) - 0.5) < 6.0 / np.sqrt(12 * 400 * 100)
    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 6.0 / np.sqrt(399)
    assert abs(12 * 100 * np.var(means) - 1.0) < 6.0 * np.sqrt(2.0 / 399)
