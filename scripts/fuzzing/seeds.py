"""What the fuzz begins with: the configs of the repository, bad YAML of every kind, and tokens that mean something."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]

HEAD = "study: s\nseed: 1\nreplicates: 100\nsample_sizes: [10, 20]\nscenarios:\n"
SCENARIO = "  - {family: gamma, parameters: {shape: 2, scale: 1}}\n"

BAD = (
    "",
    "\ufeffstudy: s\n",
    "study: \0\n",
    "a: \ud800\n",
    "a:\tb\n\tc: 1\n",
    "a: 1\n---\na: 2\n",
    "%YAML 9.9\n%TAG !e! tag:example.com,2000:\n---\na: !e!b 1\n",
    "a: !!python/object/apply:os.system ['echo x']\n",
    "a: !!binary aGVsbG8=\n",
    "a: &a [*a]\nb: &b {<<: *a}\nc: *d\n",
    "a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
    "[" * 300,
    "{a: " * 300,
    "? " * 300,
    "- " * 300,
    "a: " + "9" * 5_000 + "\n",
    "a: 0." + "9" * 5_000 + "e5000\n",
    "a: \u2028b: 1\r\nc: 2\rd: 3\x85e: 4\n",
    'a: "\\e[31m\\U0010FFFF\\x00\\ud800"\n',
    "a: |2-\n   x\n  y\nb: >+\n  z\n\n",
    "a: 1\na: 2\n",
    "# nothing\n",
    HEAD + SCENARIO.replace("gamma,", "gamma, name: ../../x,"),
    HEAD + SCENARIO.replace("2", "[1, 2]").replace("1}", "[3, 4]}") + SCENARIO,
    HEAD + SCENARIO.replace("}}", "}, name: a, fit: weibull, known: {scale: 1}, censoring: {time: 2}, level: 0.9}"),
    HEAD + SCENARIO.replace("}}", "}, intervals: [score], mcse: table6, paths: true, precision: {bias: 1%}}"),
    HEAD + "  - family: linear_regression\n    parameters: {intercept: 0, slope1: 1, sd: 1}\n"
    "    covariates: [{family: normal, parameters: {mean: 0, sd: 2}}]\n",
    HEAD.replace("[10, 20]", "{from: 10, to: 1e3, ratio: 1.5}") + SCENARIO,
)

TOKENS = (
    *("study", "seed", "replicates", "sample_sizes", "scenarios", "name", "family", "parameters", "fit", "known"),
    *("censoring", "time", "covariates", "level", "intervals", "mcse", "paths", "precision", "from", "to", "ratio"),
    *("gamma", "normal", "weibull", "categorical", "dirichlet", "poisson_regression", "student_t", "uniform"),
    *("shape", "scale", "rate", "mean", "sd", "df", "slope1", "slope2", "prob1", "prob2", "alpha1", "alpha2"),
    *("bias", "coverage", "1%", "table6", "influence", "score", "wald-log", "<list>", "<dict>", "[key]", "config"),
    *("0", "-0", "1", "-1", "1e-8", "1e5", "1e400", "-1e400", "5e-324", "0.5", "010", "0x1F", "0o7", "1_000", "12:30"),
    *(".nan", ".inf", "-.Inf", "~", "null", "true", "no", "''", '""', "1" * 101, "9" * 5_000, str(2**128), "1e308"),
    *("{}", "[]", "[", "]", "{", "}", ", ", ": ", ":", "? ", "- ", "\n", "\n  ", "\n  - ", "\n    ", " ", "\t", " #"),
    *("&a ", "*a", "!x ", "!!int ", "!!python/name:os.system ", "<<: ", "|\n", ">-\n", "'", '"', "%", "@", "`", "\\"),
    *("---\n", "...\n", "%YAML 1.2\n", "%TAG ! !\n", "\ufeff", "\0", "\x1b[31m", "\\e[31m", '"\\0"', '"\\n"', "\r"),
    *(
        "\r\n",
        "\x85",
        "\u2028",
        "\u202e",
        "\u200b",
        "\ud800",
        "é",
        "e\u0301",
        "..",
        "../",
        "a/b",
        "-rf",
        "nul.txt",
        "x" * 300,
    ),
    *("/dev/null", "$x$", "<b>", "=1+1", "{from: 1, to: 1e9, ratio: 1.0000001}", "[1, 2]", "{a: [b, {c: ~}]}"),
)


def seeds() -> list[str]:
    """Return the texts that the fuzz begins with."""
    return [*(path.read_text(encoding="utf-8") for path in sorted((ROOT / "configs").glob("*.yaml"))), *BAD]
