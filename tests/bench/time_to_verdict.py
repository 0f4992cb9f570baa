#!/usr/bin/env python3
"""From the command to the verdict: six checks on bloom-tiny and its nf4 copy."""

import measure


def main():
    options = measure.options(__doc__, rounds=5)
    measure.describe_machine()
    measure.print_versions(options)
    ours, theirs = measure.in_turn(
        options.rounds,
        lambda: measure.timed([options.program, "run", "specs/bloom.lua"])[0],
        lambda: measure.timed([options.python, measure.HERE / "reference_checks.py"])[0])
    measure.print_rows([("import to verdict, six checks", ours, theirs)])


if __name__ == "__main__":
    main()
