"""The figure of coverage."""

import matplotlib.pyplot as plt
import pandas as pd

from simstudy.figures.coverage import COVERAGE
from tests.figures.made import made


def test_regions_for_all_parameters_are_not_in_it():
    found = made(2, (10, 40))
    own = found.summary[found.summary["measure"] == "coverage"].drop_duplicates("n")
    together = [own.assign(row="", estimator=name, value=0.5) for name in ("wald", "score", "likelihood-ratio")]
    more = pd.concat([found.summary, *together])
    figure = COVERAGE.draw(more, "made", found.replicates)
    assert [axes.get_title("left") for axes in figure.axes] == ["shape", "scale"]
    plt.close(figure)
    for words in (COVERAGE.alt, COVERAGE.caption):
        assert words(more, "made", found.replicates) == words(found.summary, "made", found.replicates)
