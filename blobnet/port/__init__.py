"""What stands between a net that somebody published and a run of it here: all obstacles at once.

    files.py     which files hold nets or solvers, read as far as they can be read
    origin.py    the generation of a net, and the program it was written for
    states.py    the phases and stages in which a file is a net
    sieve.py     layers that cannot be built, and those behind them, set aside
    survey.py    the others built, each error noted, shapes that nothing tells tried out
    trial.py     a pass forward and a pass backward on made-up data
    report.py    what is said of a file
    port.py      all of these, one after the other
    stubs.py     Python files to fill in for layer types that are missing
    weights.py   which parameters of a file of weights fit which layer
    table.py, page.py   the reports as text and as HTML
"""
